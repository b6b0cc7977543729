import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConnectorError } from '@fjord/core';
import { findConfigProblems } from '@fjord/core/config';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { type PipelineFile, PipelineSchema } from './pipeline-schema.ts';

/** A pipeline file that was read and checked. References in the configs are unresolved: only connectors see the values. */
export type Pipeline = PipelineFile & {
  file: string;
  folder: string;
  /** `file:line` of an option, given as its path in the file. */
  placeOf(option: readonly (string | number)[]): string;
};

/** Reads a pipeline file; `config_invalid` names every wrong option with file and line. */
export async function loadPipeline(file: string): Promise<Pipeline> {
  const absolute = path.resolve(file);
  let text: string;
  try {
    text = await readFile(absolute, 'utf8');
  } catch (cause) {
    throw new ConnectorError('config_invalid', `The pipeline file ${file} cannot be read.`, {
      cause,
      help: 'Give the path of a pipeline file, or write one with `fjord init`.',
    });
  }
  return parsePipeline(text, file);
}

/** Checks the text of a pipeline file; `file` names it in messages. */
export function parsePipeline(text: string, file: string): Pipeline {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const broken = document.errors[0];
  if (broken) throw invalid([`${file}:${lines.linePos(broken.pos[0]).line}: ${firstLine(broken.message)}`]);
  const value: unknown = document.toJS();
  const placeOf = (option: readonly (string | number)[]) => `${file}:${lineOf(document, lines, option)}`;
  const problems = findConfigProblems(PipelineSchema, value);
  if (problems.length > 0) {
    throw invalid(
      problems.map(({ path: option, message }) => {
        const what = option === '' ? 'the pipeline' : `option ${option}`;
        return `${placeOf(parsePath(option))}: ${what} ${message}`;
      }),
    );
  }
  const absolute = path.resolve(file);
  return { ...(value as PipelineFile), file: absolute, folder: path.dirname(absolute), placeOf };
}

const invalid = (problems: string[]) =>
  new ConnectorError('config_invalid', problems.join('\n'), {
    help: 'Correct the named lines; `fjord spec` prints every option with its meaning.',
  });

const firstLine = (text: string) => text.split('\n')[0] ?? text;

/** `streams[0].match` as `['streams', 0, 'match']`. */
function parsePath(option: string): (string | number)[] {
  return [...option.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map(([, name, index]) =>
    index === undefined ? (name ?? '') : Number(index),
  );
}

/** The line of an option, or of the nearest thing around it that the file has. */
function lineOf(document: Document, lines: LineCounter, option: readonly (string | number)[]): number {
  for (let depth = option.length; depth > 0; depth--) {
    const node: unknown = document.getIn(option.slice(0, depth), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}
