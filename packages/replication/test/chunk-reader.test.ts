import { expect, test } from 'vitest';
import { ChunkReader } from '../src/chunk-reader.ts';
import type { ChunkOrder } from '../src/worker-messages.ts';

test('an error of a worker keeps its code, message, stream and help', async () => {
  const module = new URL('fixtures/refusing-source.ts', import.meta.url).href;
  await using reader = new ChunkReader({ module, config: {} }, () => undefined);
  const order = { stream: { stream: 'public.t' } } as unknown as ChunkOrder;
  await expect(Array.fromAsync(reader.read(order, new AbortController().signal))).rejects.toMatchObject({
    code: 'source_busy',
    message: 'The server is busy.',
    stream: 'public.t',
    help: 'Do this.',
  });
});
