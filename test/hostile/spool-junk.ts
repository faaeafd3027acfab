import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeFileHeader } from '../../runner/kinesis/spool/segment-format.ts';

/** Fills a spool directory with what a start has to survive: zeros, folders, foreign files, torn and forged segments. */
export async function fillWithJunk(directory: string): Promise<void> {
  for (const name of ['media', 'events']) {
    const at = (file: string) => join(directory, name, file);
    await mkdir(at('000000000003.seg'), { recursive: true });
    await mkdir(at('lost+found'));
    await writeFile(at('000000000000.seg'), Buffer.alloc(10_000));
    await writeFile(
      at('000000000001.seg'),
      Buffer.concat([encodeFileHeader('stream'), Buffer.alloc(10_000)]),
    );
    await writeFile(at('000000000002.seg'), 'somebody else');
    await writeFile(at('000000000004.seg'), Buffer.alloc(0));
    await writeFile(at('000000000005.seg.tmp'), 'half a rewrite');
    await writeFile(at('core.4711'), Buffer.alloc(1_000, 7));
    await writeFile(at('99999999999999.seg'), 'the last number of all');
    await symlink('/dev/zero', at('000000000006.seg'));
  }
}
