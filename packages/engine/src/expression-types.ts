import { type Column, type Expression, parsePrimitive, type PrimitiveType, toLiteral } from '@fjord/core';
import { type Syntax, WrongSyntax } from './expression-syntax.ts';

/** An expression with the type of its value. */
export type Typed = { expression: Expression; type: string };

/** Finds columns and types of an expression. WrongSyntax says what cannot be meant. */
export function typeExpression(syntax: Syntax, columns: readonly Column[]): Typed {
  if (syntax.form === 'literal') return typeLiteral(syntax);
  if (syntax.form === 'column') return typeColumn(syntax.name, columns);
  const call = CALLS[syntax.name];
  if (!Object.hasOwn(CALLS, syntax.name) || !call) {
    throw new WrongSyntax(`there is no function ${syntax.name}; there are ${Object.keys(CALLS).join(', ')}`);
  }
  return call(
    syntax.parts.map((part) => typeExpression(part, columns)),
    syntax.name,
  );
}

function typeColumn(name: string, columns: readonly Column[]): Typed {
  const column = columns.find((known) => known.name === name);
  if (!column) throw new WrongSyntax(`there is no column "${name}"`);
  if (typeof column.type !== 'string') throw new WrongSyntax(`column "${name}" is nested: nothing is computed of it`);
  return { expression: { column: name }, type: column.type };
}

/** A whole number is a long, one with a point the decimal that it is written as. */
function typeLiteral({ value, text }: Extract<Syntax, { form: 'literal' }>): Typed {
  if (value === null) throw new WrongSyntax('null stands for itself nowhere: leave it out');
  if (typeof value !== 'number') return literal(value, typeof value === 'boolean' ? 'boolean' : 'string');
  if (!text.includes('.')) return literal(toLiteral('long', text) ?? tooLarge(text), 'long');
  const digits = text.replace('-', '');
  const scale = digits.length - digits.indexOf('.') - 1;
  const precision = Math.max(digits.length - 1, scale);
  return precision > MAX_PRECISION ? tooLarge(text) : literal(text, `decimal(${precision},${scale})`);
}

const MAX_PRECISION = 38;

function tooLarge(text: string): never {
  throw new WrongSyntax(`the number ${text} has too many digits`);
}

function literal(value: string | number | boolean, type: string): Typed {
  return { expression: { literal: value, type }, type };
}

type Typing = (parts: Typed[], name: string) => Typed;

/** Every function with what it takes and gives; docs/streams.md describes them, `@fjord/replication` computes them. */
const CALLS: Record<string, Typing | undefined> = {
  concat: (parts, name) => call(name, need(parts, name, [1, 99]).map(asText), 'string'),
  lower: textToText,
  upper: textToText,
  trim: textToText,
  substring: (parts, name) => {
    const [text, ...numbers] = need(parts, name, [2, 3]);
    return call(
      name,
      [mustBe(text, 'string', name), ...numbers.map((part) => castTo(wholeNumber(part, name), 'long'))],
      'string',
    );
  },
  coalesce: (parts, name) => {
    const unified = unify(need(parts, name, [1, 99]), name);
    return call(name, unified, unified[0]?.type ?? 'string');
  },
  cast: (parts, name) => {
    const [value, target] = need(parts, name, [2, 2]);
    const type = literalText(target, 'a type in quotes');
    return castTo(value!, checkCast(value!.type, type));
  },
  json: (parts, name) => {
    const [text, path] = need(parts, name, [2, 2]);
    const steps = literalText(path, "a path such as '$.a.b[0]'");
    if (!JSON_PATH.test(steps)) throw new WrongSyntax(`"${steps}" is no path such as '$.a.b[0]' or '$["a b"]'`);
    return call(name, [mustBe(text, 'string', name), path!], 'string');
  },
  date_trunc: (parts, name) => {
    const [unit, value] = need(parts, name, [2, 2]);
    const word = literalText(unit, 'a unit in quotes');
    if (!UNITS.includes(word)) throw new WrongSyntax(`"${word}" is none of ${UNITS.join(', ')}`);
    return call(name, [unit!, mustBeTime(value, name)], value?.type ?? 'date');
  },
  year: partOfTime,
  month: partOfTime,
  day: partOfTime,
  '+': arithmetic,
  '-': arithmetic,
  '*': arithmetic,
  '/': (parts, name) => inDoubles(numbers(parts, name), name),
};

const JSON_PATH = /^\$(?:\.[A-Za-z_][\w-]*|\["(?:[^"\\]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"\]|\[\d+\])*$/;
const UNITS = ['year', 'month', 'day', 'hour', 'minute', 'second'];

function call(name: string, parts: Typed[], type: string): Typed {
  return { expression: { call: name, arguments: parts.map(({ expression }) => expression), type }, type };
}

function need(parts: Typed[], name: string, [least, most]: [number, number]): Typed[] {
  if (parts.length >= least && parts.length <= most) return parts;
  const wanted = least === most ? String(least) : `${least} or more`;
  throw new WrongSyntax(`${name} takes ${wanted} argument${wanted === '1' ? '' : 's'}, not ${parts.length}`);
}

function textToText(parts: Typed[], name: string): Typed {
  const [text] = need(parts, name, [1, 1]);
  return call(name, [mustBe(text, 'string', name)], 'string');
}

function partOfTime(parts: Typed[], name: string): Typed {
  const [value] = need(parts, name, [1, 1]);
  return call(name, [mustBeTime(value, name)], 'int');
}

function mustBe(part: Typed | undefined, type: string, name: string): Typed {
  if (part?.type === type) return part;
  throw new WrongSyntax(`${name} takes a ${type}, not a ${part?.type}; use cast(…, '${type}')`);
}

function mustBeTime(part: Typed | undefined, name: string): Typed {
  if (part && ['date', 'timestamp', 'timestamptz'].includes(part.type)) return part;
  throw new WrongSyntax(`${name} takes a date or timestamp, not a ${part?.type}`);
}

function literalText(part: Typed | undefined, what: string): string {
  const value = part && 'literal' in part.expression ? part.expression.literal : undefined;
  if (typeof value !== 'string' || part?.type !== 'string') throw new WrongSyntax(`${what} is needed there`);
  return value;
}

function wholeNumber(part: Typed, name: string): Typed {
  if (part.type === 'int' || part.type === 'long') return part;
  throw new WrongSyntax(`${name} counts in whole numbers, not in a ${part.type}`);
}

const asText = (part: Typed) => castTo(part, 'string');

function castTo(part: Typed, type: string): Typed {
  return part.type === type ? part : call('cast', [part], type);
}

/** Makes all parts of one type: a literal takes the others' type if it can, numbers become the widest one among them. */
function unify(parts: Typed[], name: string): Typed[] {
  const firm = parts.filter(({ expression }) => !('literal' in expression));
  const types = new Set((firm.length > 0 ? firm : parts).map(({ type }) => type));
  const [only] = types;
  const adapted = types.size === 1 && only !== undefined ? parts.map((part) => adapt(part, only)) : [undefined];
  if (adapted.every((part) => part !== undefined)) return adapted;
  const widest = parts.map(({ type }) => type).reduce(widen(name));
  return parts.map((part) => castTo(part, widest));
}

function adapt(part: Typed, type: string): Typed | undefined {
  if (part.type === type) return part;
  if (!('literal' in part.expression)) return undefined;
  const isDouble = type === 'float' || type === 'double';
  const value = toLiteral(type, isDouble ? Number(part.expression.literal) : part.expression.literal);
  if (value === undefined || !fitsDecimal(value, type)) return undefined;
  return literal(value, type);
}

/** Whether a decimal literal has no more digits than the type: more would be cut. True of all other types. */
export function fitsDecimal(value: unknown, type: string): boolean {
  const target = parsePrimitive(type);
  if (target.kind !== 'decimal') return true;
  const [whole = '', fraction = ''] = String(value).replace('-', '').split('.');
  return fraction.length <= target.scale && whole.length <= target.precision - target.scale;
}

const widen = (name: string) => (left: string, right: string) => {
  if (left === right) return left;
  if (!isNumeric(left) || !isNumeric(right)) {
    throw new WrongSyntax(`${name} takes values of one type, not ${left} and ${right}; use cast(…)`);
  }
  return sumType(parsePrimitive(left), parsePrimitive(right), 0);
};

const isNumeric = (type: string) => /^(int|long|float|double|decimal\(.*)$/.test(type);

function numbers(parts: Typed[], name: string): Typed[] {
  const wrong = need(parts, name, [2, 2]).find(({ type }) => !isNumeric(type));
  if (wrong) throw new WrongSyntax(`${name} takes numbers, not a ${wrong.type}`);
  return parts;
}

function arithmetic(parts: Typed[], name: string): Typed {
  const [left, right] = numbers(parts, name).map(({ type }) => parsePrimitive(type));
  if (!left || !right) throw new Error('two numbers were checked to be there');
  const type = name === '*' ? productType(left, right) : sumType(left, right, 1);
  return type === 'double' ? inDoubles(parts, name) : call(name, parts, type);
}

const inDoubles = (parts: Typed[], name: string) =>
  call(
    name,
    parts.map((part) => adapt(part, 'double') ?? part),
    'double',
  );

const digitsOf = (type: PrimitiveType) =>
  type.kind === 'decimal' ? type : { precision: type.kind === 'int' ? 10 : 19, scale: 0 };
const isFloat = ({ kind }: PrimitiveType) => kind === 'float' || kind === 'double';

/** Exact in whole numbers and decimals; `carry` is the digit that a sum may add. */
function sumType(left: PrimitiveType, right: PrimitiveType, carry: number): string {
  if (isFloat(left) || isFloat(right)) return 'double';
  if (left.kind !== 'decimal' && right.kind !== 'decimal') return 'long';
  const [a, b] = [digitsOf(left), digitsOf(right)];
  const scale = Math.max(a.scale, b.scale);
  const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
  return `decimal(${Math.min(MAX_PRECISION, whole + scale + carry)},${scale})`;
}

function productType(left: PrimitiveType, right: PrimitiveType): string {
  if (isFloat(left) || isFloat(right)) return 'double';
  if (left.kind !== 'decimal' && right.kind !== 'decimal') return 'long';
  const [a, b] = [digitsOf(left), digitsOf(right)];
  const scale = a.scale + b.scale;
  if (scale > MAX_PRECISION) throw new WrongSyntax('the product has more than 38 digits after the point; use cast(…)');
  return `decimal(${Math.min(MAX_PRECISION, a.precision + b.precision)},${scale})`;
}

/** Refuses a cast that has no meaning; docs/streams.md has the table. */
function checkCast(from: string, to: string): string {
  if (!TYPE_NAME.test(to)) throw new WrongSyntax(`"${to}" is no type that a value can be cast to`);
  const digits = parsePrimitive(to);
  if (digits.kind === 'decimal' && (digits.precision > MAX_PRECISION || digits.scale > digits.precision)) {
    throw new WrongSyntax(`"${to}" has more than 38 digits, or more after the point than in all`);
  }
  const isTime = (type: string) => ['date', 'timestamp', 'timestamptz'].includes(type);
  const isKnown =
    from === to ||
    to === 'string' ||
    from === 'string' ||
    (isNumeric(from) && isNumeric(to)) ||
    (from === 'boolean' && /^(int|long)$/.test(to)) ||
    (isTime(from) && isTime(to)) ||
    (isTime(from) && from !== 'date' && to === 'time');
  if (!isKnown) throw new WrongSyntax(`a ${from} cannot be cast to ${to}`);
  return to;
}

const TYPE_NAME = /^(boolean|int|long|float|double|decimal\(\d+,\d+\)|date|time|timestamp|timestamptz|string|uuid)$/;
