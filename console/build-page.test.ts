import { readFile, stat } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { bundlePage, PAGE_FILE } from './build-page.ts';

const MAX_BYTES = 200_000;

test('the committed bundle of the page is what its sources give (npm run console:build)', async () => {
  expect((await readFile(PAGE_FILE, 'utf8')) === (await bundlePage())).toBe(true);
});

test('the page with its style and markup is small, and names no other host', async () => {
  const files = ['index.html', 'page.js', 'page.css', 'icon.svg'].map(
    (name) => new URL(`./assets/${name}`, import.meta.url),
  );
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MAX_BYTES);
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const addresses = texts.flatMap((text) => [...text.matchAll(/https?:\/\/[\w.-]+/g)]);
  // Names of XML namespaces, which nobody asks for.
  expect(new Set(addresses.map(([address]) => address))).toEqual(new Set(['http://www.w3.org']));
});
