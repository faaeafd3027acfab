import type { ConsoleAction } from '../console/server/actions.ts';
import { ServiceError } from '../shared/errors.ts';
import type { FaultScript } from './kinesis/faults.ts';
import type { KinesisServer } from './kinesis/server.ts';
import type { RunnerFleet } from './runner-fleet.ts';

/** How long Kinesis is disturbed, unless it is mended before. */
const FAULT_MS = 20_000;
/** Writes fail and reads go on: otherwise the console would show nothing of what happens. */
const PUTS = ['PutRecords', 'PutRecord'] as const;
const THROTTLED_SHARE = 0.7;

const SIGNALS = {
  kill: {
    signal: 'SIGKILL',
    label: 'Kill',
    said: 'killed; others find it silent after about 10 s and take its meetings over',
    hint: 'kill -9: another runner takes over, and this one is replaced after 5 s',
  },
  freeze: {
    signal: 'SIGSTOP',
    label: 'Freeze',
    said: 'frozen; others take its meetings over, and when it goes on it has lost them',
    hint: 'The process stands still, as with a hung host',
  },
  thaw: {
    signal: 'SIGCONT',
    label: 'Thaw',
    said: 'goes on',
    hint: 'Lets a frozen runner go on',
  },
  drain: {
    signal: 'SIGTERM',
    label: 'Drain',
    said: 'drains: it hands its meetings over and ends',
    hint: 'SIGTERM, as a deployment sends it',
  },
} as const;

const FAULTS: Readonly<
  Record<string, { label: string; rule: FaultScript['rules'][number]; said: string; hint: string }>
> = {
  'throttle-kinesis': {
    label: 'Throttle Kinesis',
    rule: { entryErrors: { ProvisionedThroughputExceededException: THROTTLED_SHARE } },
    said: 'Kinesis refuses 70 % of the records for 20 s; runners try again, in order',
    hint: 'Kinesis refuses 70 % of the records that are put, for 20 s',
  },
  'stop-kinesis': {
    label: 'Stop Kinesis',
    rule: { stall: 'refuse' },
    said: 'Kinesis takes no records for 20 s; runners keep them in memory and on disk',
    hint: 'Kinesis takes no records for 20 s; it can still be read',
  },
};

/** Breaks parts of the local stack, so that somebody sees what becomes of the meetings. */
export function chaosActions(
  fleet: RunnerFleet,
  { faults }: Pick<KinesisServer, 'faults'>,
): ConsoleAction[] {
  return [
    ...Object.entries(SIGNALS).map(
      ([name, { signal, label, said, hint }]): ConsoleAction => ({
        name,
        label,
        target: 'runner',
        hint,
        run: async (taskId) => {
          if (fleet.signal(taskId, signal)) return `${taskId} ${said}`;
          throw new ServiceError('cli/refused', `there is no runner ${taskId} any more`);
        },
      }),
    ),
    ...Object.entries(FAULTS).map(
      ([name, { label, rule, said, hint }]): ConsoleAction => ({
        name,
        label,
        target: 'stack',
        hint,
        run: async () => {
          const rules = PUTS.map((operation) => ({ ...rule, operation, durationMs: FAULT_MS }));
          faults.set({ rules });
          return said;
        },
      }),
    ),
    {
      name: 'mend-kinesis',
      label: 'Mend Kinesis',
      target: 'stack',
      hint: 'Ends every disturbance of Kinesis',
      run: async () => {
        faults.clear();
        return 'Kinesis works as usual';
      },
    },
  ];
}
