import { decodeFrame } from '../../rtms/protocol/decode-media.ts';
import { scanFrame } from '../../rtms/protocol/scan-frame.ts';
import { print, time } from './timing.ts';
import { WORKLOADS } from './workloads.ts';

/** What reading one media message costs: from bytes, and by `JSON.parse`. */
export function benchDecode(): void {
  for (const name of ['audio', 'opus', 'video', 'share'] as const) {
    const message = WORKLOADS[name].flows[0]?.moments.at(-1)?.[0] as { msg_type: 14 | 15 | 16 };
    const bytes = Buffer.from(JSON.stringify(message));
    if (scanFrame(bytes) === undefined) throw new Error('the scan does not read Zoom’s own form');
    const timings = time([
      { name: 'scan of the bytes', run: () => scanFrame(bytes) },
      {
        name: 'JSON.parse and decodeFrame',
        run: () => decodeFrame(message.msg_type, JSON.parse(bytes.toString())),
      },
      {
        name: 'JSON.parse and Buffer.from',
        run: () => Buffer.from(JSON.parse(bytes.toString()).content.data, 'base64'),
      },
    ]);
    print(`decode, ${WORKLOADS[name].title}: ${bytes.length} B`, timings);
  }
}
