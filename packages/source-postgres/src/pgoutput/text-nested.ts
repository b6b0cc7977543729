import type { ArrayWire } from '../copy/wire.ts';
import type { WriteBinary } from './text-values.ts';

/** Number of dimensions, flags and element type, 32 bits each (array_send); of each dimension then its length and lower bound. */
const ARRAY_HEADER_BYTES = 12;
const DIMENSION_BYTES = 8;
const NULL_LENGTH = -1;

/** Arrays as array_out prints them (manual, 8.15.6 Array Input and Output Syntax), as array_send sends them. */
export function arrayWriter({ delimiter = ',' }: ArrayWire, writeElement: WriteBinary): WriteBinary {
  return (text) => {
    const { lengths, elements } = parseArray(text, delimiter);
    const head = Buffer.alloc(ARRAY_HEADER_BYTES + DIMENSION_BYTES * lengths.length);
    head.writeInt32BE(lengths.length, 0);
    for (const [index, length] of lengths.entries()) {
      head.writeInt32BE(length, ARRAY_HEADER_BYTES + DIMENSION_BYTES * index);
    }
    return Buffer.concat([head, ...elements.flatMap((element) => framed(element, writeElement))]);
  };
}

/** Composites as record_out prints them (manual, 8.16.6 Composite Type Input and Output Syntax), as record_send sends them, without oids. */
export function structWriter(writers: readonly WriteBinary[]): WriteBinary {
  return (text) => {
    const fields = parseRecord(text);
    const head = Buffer.alloc(4);
    head.writeInt32BE(writers.length);
    const noOid = Buffer.alloc(4);
    const parts = writers.flatMap((write, index) => [noOid, ...framed(fields[index] ?? null, write)]);
    return Buffer.concat([head, ...parts]);
  };
}

/** hstore as it prints (`"key"=>"value", "other"=>NULL`), as hstore_send sends it. */
export function hstoreBytes(text: string): Uint8Array {
  const cursor = new Cursor(text);
  const parts: Uint8Array[] = [];
  const asText: WriteBinary = (part) => Buffer.from(part);
  while (!cursor.isAtEnd) {
    cursor.skip(/[\s,]/);
    parts.push(...framed(cursor.quoted(), asText));
    cursor.expect('=>');
    parts.push(...framed(cursor.peek() === '"' ? cursor.quoted() : cursor.bare('') && null, asText));
  }
  const head = Buffer.alloc(4);
  head.writeInt32BE(parts.filter((_, index) => index % 2 === 0).length / 2);
  return Buffer.concat([head, ...parts]);
}

/** A value after its length. */
function framed(text: string | null, write: WriteBinary): [length: Uint8Array, value: Uint8Array] {
  const value = text === null ? Buffer.alloc(0) : write(text);
  const length = Buffer.alloc(4);
  length.writeInt32BE(text === null ? NULL_LENGTH : value.length);
  return [length, value];
}

type ParsedArray = { lengths: number[]; elements: (string | null)[] };

function parseArray(text: string, delimiter: string): ParsedArray {
  // Lower bounds other than 1 stand in front: `[0:2]={…}`.
  const cursor = new Cursor(text, text.indexOf('{'));
  const lengths: number[] = [];
  const elements: (string | null)[] = [];
  const readLevel = (level: number): void => {
    cursor.expect('{');
    let count = 0;
    for (; cursor.peek() !== '}'; count++) {
      if (count > 0) cursor.expect(delimiter);
      if (cursor.peek() === '{') readLevel(level + 1);
      else elements.push(readElement(cursor, delimiter));
    }
    cursor.expect('}');
    lengths[level] = count;
  };
  readLevel(0);
  return elements.length === 0 ? { lengths: [], elements } : { lengths, elements };
}

function readElement(cursor: Cursor, delimiter: string): string | null {
  if (cursor.peek() === '"') return cursor.quoted();
  const text = cursor.bare(`${delimiter}}`);
  return text === 'NULL' ? null : text;
}

function parseRecord(text: string): (string | null)[] {
  const cursor = new Cursor(text);
  const fields: (string | null)[] = [];
  cursor.expect('(');
  while (!cursor.isAtEnd) {
    const isNull = cursor.peek() === ',' || cursor.peek() === ')';
    fields.push(isNull ? null : cursor.peek() === '"' ? cursor.quoted() : cursor.bare(',)'));
    cursor.take();
  }
  return fields;
}

/** A place in a text that is read from left to right. */
class Cursor {
  readonly #text: string;
  #at: number;

  constructor(text: string, at = 0) {
    this.#text = text;
    this.#at = at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  peek(): string | undefined {
    return this.#text[this.#at];
  }

  take(): string | undefined {
    return this.#text[this.#at++];
  }

  skip(characters: RegExp): void {
    while (characters.test(this.peek() ?? '')) this.#at += 1;
  }

  expect(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) throw new Error(`a printed value has no ${text} where one was due`);
    this.#at += text.length;
  }

  /** Up to one of these characters, with backslashes taken as escapes. */
  bare(ends: string): string {
    let text = '';
    while (!this.isAtEnd && !(ends === '' ? /[\s,]/.test(this.peek()!) : ends.includes(this.peek()!))) {
      if (this.peek() === '\\') this.#at += 1;
      text += this.take() ?? '';
    }
    return text;
  }

  /** In double quotes, in which a backslash escapes and two quotes are one. */
  quoted(): string {
    this.expect('"');
    let text = '';
    for (;;) {
      const character = this.take();
      if (character === undefined) throw new Error('a printed value lacks its closing quote');
      if (character === '\\') text += this.take() ?? '';
      else if (character !== '"') text += character;
      else if (this.peek() === '"') text += this.take() ?? '';
      else return text;
    }
  }
}
