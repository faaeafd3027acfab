import { BenchProcess, CORE } from './bench-process.ts';
import { World } from './ladder.ts';
import type { PutCost, PutShape } from './put-process.ts';

/** Calls as lanes make them: records of video, the fifths of a second of many audio sessions, and full PUT units. */
const SHAPES: readonly PutShape[] = [
  { records: 10, sizeBytes: 50_000 },
  { records: 100, sizeBytes: 7_500 },
  { records: 20, sizeBytes: 24_000 },
];

/** What bringing a megabyte to Kinesis costs, over TLS. */
export async function benchPut(): Promise<void> {
  const world = await World.start();
  const putter = new BenchProcess({
    entry: './put-process.ts',
    args: [world.kinesisUrl],
    core: CORE.measured,
    env: world.env,
  });
  try {
    for (const shape of SHAPES) {
      const costs = await putter.ask<PutCost[]>('measure', shape);
      process.stdout.write(`PutRecords of ${shape.records} x ${shape.sizeBytes} B, over TLS\n`);
      for (const { name, msPerMegabyte } of costs) {
        process.stdout.write(`  ${name.padEnd(44)} ${msPerMegabyte.toFixed(2)} ms CPU a MB\n`);
      }
    }
  } finally {
    await putter.stop();
    await world.close();
  }
}
