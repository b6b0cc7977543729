import type { Stream } from '@fjord/core';
import { WrongSyntax } from './expression-syntax.ts';

/** `{{`, `}}`, or `{name|lower|removePrefix:tbl_}`. */
const PIECE = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/** Fills in a template of a namespace or table name: `{namespace}`, `{name}`, `{database}`, each with functions behind it. WrongSyntax if it is none. */
export function fillTemplate(template: string, stream: Pick<Stream, 'namespace' | 'name' | 'database'>): string {
  const filled = template.replaceAll(PIECE, (piece, inner: string | undefined) => {
    if (piece === '{{' || piece === '}}') return piece.slice(1);
    if (inner === undefined)
      throw new WrongSyntax(`a "${piece}" stands alone in "${template}"; write it twice if it is meant`);
    const [variable = '', ...functions] = inner.split('|').map((part) => part.trim());
    return functions.reduce(applyFunction, valueOf(variable, stream));
  });
  if (filled === '') throw new WrongSyntax(`"${template}" leaves nothing of the name`);
  return filled;
}

function valueOf(
  variable: string,
  { namespace, name, database }: Pick<Stream, 'namespace' | 'name' | 'database'>,
): string {
  switch (variable) {
    case 'namespace':
      return namespace ?? 'default';
    case 'name':
      return name;
    case 'database':
      if (database !== undefined) return database;
      throw new WrongSyntax('the source names no {database}');
    default:
      throw new WrongSyntax(`"{${variable}}" is none of {namespace}, {name}, {database}`);
  }
}

function applyFunction(value: string, call: string): string {
  const [, name = '', argument = ''] = /^([^:]*):?(.*)$/s.exec(call) ?? [];
  switch (name) {
    case 'lower':
      return value.toLowerCase();
    case 'upper':
      return value.toUpperCase();
    case 'removePrefix':
      return value.startsWith(argument) ? value.slice(argument.length) : value;
    case 'removeSuffix':
      return value.endsWith(argument) ? value.slice(0, value.length - argument.length) : value;
    default:
      throw new WrongSyntax(`"${call}" is none of lower, upper, removePrefix:TEXT, removeSuffix:TEXT`);
  }
}
