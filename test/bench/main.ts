/**
 * `npm run bench [name] -- [options]`: how much the runner carries, and what its parts cost.
 *
 *   runner          the real engine, the obvious builds and the floor, under rising load
 *   decode          one media message from bytes, against JSON.parse
 *   aggregate       one frame into its aggregate, against the published libraries
 *   frame-path      a frame from its message to its PutRecords call, without sockets
 *   lines           lines of one session at once, a lone one, and in each second that lasts
 *   flame           where the runner's CPU goes: flame graphs with perf, and the blocks over 2 %
 *   put             a megabyte to Kinesis, over TLS, by the SDK and by our own writer
 *   consume         reading the media stream, against the published libraries
 *   push            from capture to a consumer, pushed and polled
 *   export          a meeting into files: speed in multiples of real time, and memory
 *   shards          one process, and two that share its sessions
 *   soak            twelve hours of audio in fast forward, and what the heap holds after each
 *   webhook         the webhook function
 */

import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { benchAggregate } from './aggregate.ts';
import { benchConsume } from './consume.ts';
import { benchDecode } from './decode.ts';
import { benchExport } from './export.ts';
import { benchFlame } from './flame/flame.ts';
import { benchFramePath } from './frame-path.ts';
import { BUILDS, type BuildName } from './ladder.ts';
import { benchLines } from './lines.ts';
import { benchSustainedLines } from './lines-sustained.ts';
import { benchPush } from './push.ts';
import { benchPut } from './put.ts';
import { benchRunner } from './runner.ts';
import { benchShards } from './shards.ts';
import { benchSoak } from './soak.ts';
import { benchWebhook } from './webhook.ts';
import { ONLY_WHEN_NAMED, WORKLOADS, type WorkloadName } from './workloads.ts';

const { positionals, values } = commandOptions('npm run bench -- [name]', {
  allowPositionals: true,
  options: {
    /** Comma-separated names of builds/*.ts. */
    builds: { type: 'string', default: BUILDS.join() },
    /** Comma-separated names of WORKLOADS. */
    workloads: { type: 'string', default: usualWorkloads().join() },
    /** Comma-separated numbers of sessions instead of the workload's own. */
    steps: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    /** Directory for V8 CPU profiles of the measured process. */
    profile: { type: 'string' },
    /** Writes docs/performance.md and what belongs to it. */
    write: { type: 'boolean', default: false },
  },
});

function usualWorkloads(): readonly WorkloadName[] {
  const names = Object.keys(WORKLOADS) as WorkloadName[];
  return names.filter((name) => !ONLY_WHEN_NAMED.includes(name));
}

const BENCHES: Readonly<Record<string, () => Promise<unknown>>> = {
  runner: () =>
    benchRunner({
      builds: values.builds.split(',') as BuildName[],
      workloads: values.workloads.split(',') as WorkloadName[],
      steps: values.steps?.split(',').map(Number),
      rounds: wholeNumber('rounds', values.rounds),
      profile: values.profile,
      write: values.write,
    }),
  decode: async () => benchDecode(),
  aggregate: async () => benchAggregate(),
  'frame-path': () => benchFramePath(),
  flame: () =>
    benchFlame({ workloads: values.workloads.split(',') as WorkloadName[], write: values.write }),
  lines: async () => {
    await benchLines();
    await benchSustainedLines();
  },
  put: () => benchPut(),
  consume: () => benchConsume(),
  push: () => benchPush(),
  export: () => benchExport(),
  shards: () => benchShards(wholeNumber('rounds', values.rounds)),
  soak: () => benchSoak(),
  webhook: async () => process.stdout.write(`${JSON.stringify(await benchWebhook(), null, 2)}\n`),
};

const [name = 'runner'] = positionals;
const bench = BENCHES[name];
if (bench === undefined) {
  process.stderr.write(`no bench "${name}"; there are ${Object.keys(BENCHES).join(', ')}\n`);
  process.exitCode = 2;
} else await bench();
