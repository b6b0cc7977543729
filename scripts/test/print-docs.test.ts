import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pageUrl, PAGES } from '../print-docs.ts';

test.each(PAGES)('$file is what the code says', ({ file, print }) => {
  expect(readFileSync(pageUrl(file), 'utf8')).toBe(print());
});
