import { expect, test } from 'vitest';
import { Mailbox } from '../src/mailbox.ts';

test('items arrive in order and the end comes after the last', async () => {
  const mailbox = new Mailbox<number>(10);
  for (const item of [1, 2, 3]) await mailbox.put(item);
  mailbox.close();
  expect(await Array.fromAsync(mailbox)).toEqual([1, 2, 3]);
});

test('a producer waits while the mailbox is full', async () => {
  const mailbox = new Mailbox<number>(1);
  let isWaiting = true;
  await mailbox.put(1);
  const second = mailbox.put(2).then(() => {
    isWaiting = false;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isWaiting).toBe(true);
  const reader = mailbox[Symbol.asyncIterator]();
  expect(await reader.next()).toEqual({ done: false, value: 1 });
  await second;
  expect(isWaiting).toBe(false);
});

test('an error ends the reading at once', async () => {
  const mailbox = new Mailbox<number>(10);
  await mailbox.put(1);
  mailbox.close(new Error('cut'));
  await expect(Array.fromAsync(mailbox)).rejects.toThrow('cut');
});

test('a reader that stops sets its producers free', async () => {
  const mailbox = new Mailbox<number>(0);
  const stuck = mailbox.put(1);
  for await (const item of mailbox) {
    expect(item).toBe(1);
    break;
  }
  await stuck;
});
