import { read } from 'node:fs';
import { promisify } from 'node:util';
import { ConnectorError } from '../errors.ts';
import { takeMemory } from './body-memory.ts';

const readAsync = promisify(read);
/** Read-ahead for lines; bodies are read straight into memory of their own. */
const BUFFER_BYTES = 256 * 1024;
/** The longest line we take: a 16 MB cell as JSON with escapes fits several times. */
const MAX_LINE_BYTES = 256 * 1024 * 1024;
const NEWLINE = 10;

/** A parsed protocol line; `body` is the Arrow IPC stream behind a BATCH, in an ArrayBuffer of its own (so it can be transferred, and given back). */
export type WireMessage = { type: string; [field: string]: unknown; body?: Uint8Array[] };

/**
 * Reads protocol lines, and the bytes behind BATCH lines, from a file descriptor until its end. A line that is not
 * a JSON object with a `type`, or an end in mid-line or mid-body, is a `protocol_violation` or `run_broken`.
 */
export async function* readWire(fd: number): AsyncGenerator<WireMessage> {
  const input = new WireInput(fd);
  for (;;) {
    const line = await input.readLine();
    if (line === undefined) return;
    if (line.length === 0) continue;
    const message = parseLine(line);
    if (message.type === 'BATCH') message.body = [await input.readBytes(bodyLength(message))];
    yield message;
  }
}

/** Parses one protocol line; throws `protocol_violation` for anything but a JSON object with a `type`. */
export function parseLine(line: Uint8Array | string): WireMessage {
  let value: unknown;
  try {
    value = JSON.parse(
      typeof line === 'string' ? line : Buffer.from(line.buffer, line.byteOffset, line.length).toString(),
    );
  } catch (cause) {
    throw new ConnectorError(
      'protocol_violation',
      'A line on the pipe is not JSON; stdout must carry only protocol lines.',
      { cause },
    );
  }
  if (!isMessage(value))
    throw new ConnectorError('protocol_violation', 'A line on the pipe is not an object with a "type".');
  return value;
}

function isMessage(value: unknown): value is WireMessage {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function bodyLength(message: WireMessage): number {
  const bytes = message['bytes'];
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new ConnectorError('protocol_violation', 'A BATCH line does not say how many bytes follow it.');
}

class WireInput {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  async readLine(): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (;;) {
      const newline = this.#buffer.subarray(this.#start, this.#end).indexOf(NEWLINE);
      const stop = newline < 0 ? this.#end : this.#start + newline;
      const part = this.#buffer.subarray(this.#start, stop);
      length += part.length;
      if (length > MAX_LINE_BYTES) {
        throw new ConnectorError('protocol_violation', `A line on the pipe is longer than ${MAX_LINE_BYTES} bytes.`);
      }
      if (newline >= 0) {
        this.#start = stop + 1;
        return parts.length === 0 ? part : Buffer.concat([...parts, part]);
      }
      if (part.length > 0) parts.push(Buffer.from(part));
      if (!(await this.#fill())) {
        if (length > 0) throw new ConnectorError('run_broken', 'The pipe ended in the middle of a line.');
        return undefined;
      }
    }
  }

  async readBytes(length: number): Promise<Uint8Array> {
    const bytes = takeMemory(length);
    const buffered = Math.min(length, this.#end - this.#start);
    bytes.set(this.#buffer.subarray(this.#start, this.#start + buffered));
    this.#start += buffered;
    for (let filled = buffered; filled < length;) {
      const count = await readSome(this.#fd, bytes, filled);
      if (count === 0) throw new ConnectorError('run_broken', 'The pipe ended in the middle of a batch.');
      filled += count;
    }
    return bytes;
  }

  async #fill(): Promise<boolean> {
    this.#start = 0;
    this.#end = await readSome(this.#fd, this.#buffer, 0);
    return this.#end > 0;
  }
}

async function readSome(fd: number, target: Uint8Array, offset: number): Promise<number> {
  for (;;) {
    try {
      return (await readAsync(fd, target, offset, target.byteLength - offset, null)).bytesRead;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
