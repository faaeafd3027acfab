import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rewriteProof } from './proof-page.ts';

const page = readFileSync(new URL('../../docs/proof.md', import.meta.url), 'utf8');
const line = { software: 'theirs', version: '1.2', what: 'reads | writes', figures: '3 of 3' };
const unproven = { ...line, what: 'flies', figures: 'no wings', isProven: false };
const first = { peer: { name: 'one', defects: ['a defect: mended'] }, lines: [line, unproven] };
const second = { peer: { name: 'two' }, lines: [{ ...line, figures: '9 of 9' }] };
const NAMES = ['one', 'two'];

test('a run writes its rows, each into the table it belongs to', () => {
  const written = rewriteProof(page, NAMES, [first, second], '2026-01-02');
  expect(written).toContain('| one | theirs | 1.2 | reads \\| writes | 3 of 3 | 2026-01-02 |');
  expect(written).toContain('| one | theirs | 1.2 | flies | no wings | 2026-01-02 |');
  expect(written).toContain('| one | a defect: mended |');
  expect(written.indexOf('flies')).toBeGreaterThan(written.indexOf('<!-- not-proven:begin -->'));
});

test('rows of a peer that did not run keep their date; rows of a peer that is gone leave', () => {
  const before = rewriteProof(page, NAMES, [first, second], '2026-01-02');
  const after = rewriteProof(before, NAMES, [second], '2026-03-04');
  expect(after).toContain('| one | theirs | 1.2 | reads \\| writes | 3 of 3 | 2026-01-02 |');
  expect(after).toContain('| two | theirs | 1.2 | reads \\| writes | 9 of 9 | 2026-03-04 |');
  expect(after).not.toContain('| two | theirs | 1.2 | reads \\| writes | 9 of 9 | 2026-01-02 |');
  expect(rewriteProof(after, ['two'], [], '2026-05-06')).not.toContain('| one |');
});

test('writing the same run twice changes nothing', () => {
  const once = rewriteProof(page, NAMES, [first], '2026-01-02');
  expect(rewriteProof(once, NAMES, [first], '2026-01-02')).toBe(once);
});

test('the page has every row once', () => {
  const rows = page
    .split('\n')
    .filter((row) => /^\| [a-z]/.test(row) && !/^\| (?:peer|found by) /.test(row));
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row, index) => rows.indexOf(row) !== index)).toEqual([]);
});
