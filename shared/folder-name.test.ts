import { basename, join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { folderNameOf } from './folder-name.ts';

test('an id in the form of Zoom keeps its name', () => {
  const ids = ['609340fb2a7946909659956c8aa9250c', '756FF58A-6332-6ECA-E4AE', '4444AAAiAii=='];
  expect(ids.map(folderNameOf)).toEqual(ids);
});

const hostile = [
  '',
  '.',
  '..',
  '../../x',
  '/etc/passwd',
  'C:\\x',
  'a/b',
  'a\u0000b',
  'con',
  'NUL.txt',
];
test.for([...hostile, '-rf', '.ssh', 'x.', 'é', 'a'.repeat(400), 'x\u202ey'])(
  '%j becomes one path segment inside the folder',
  (id) => {
    const name = folderNameOf(id);
    expect(name).toMatch(/^[\w=-][\w.=-]{0,99}$/);
    expect(basename(join('/out', name))).toBe(name);
    expect(join('/out', name)).toBe(`/out/${name}`);
  },
);

property.prop([fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })])(
  'two ids never share a folder',
  (one, other) => {
    if (one !== other) expect(folderNameOf(one)).not.toBe(folderNameOf(other));
  },
);
