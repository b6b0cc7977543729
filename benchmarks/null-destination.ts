import { defineDestination } from '@fjord/core';
import { run } from '@fjord/core/runtime';
import { Type } from '@sinclair/typebox';

/** A destination that reads everything and keeps nothing: what is left is the cost of the source, the pipe and the engine. */
const destination = defineDestination({
  name: 'null',
  version: '0.0.0',
  config: Type.Object({}),
  formats: ['arrow'],
  writeModes: ['append', 'overwrite'],
  check: () => Promise.resolve([]),
  open: (_, { durable }) =>
    Promise.resolve({
      states: () => Promise.resolve([]),
      write: async (message) => {
        if (message.type === 'STATE' && message.resumed !== true) durable(message);
      },
      finish: () => Promise.resolve({ failed: [] }),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }),
});

await run(destination);
