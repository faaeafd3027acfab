import type { Verdict } from '../../sdk/consumer/index.ts';
import { type ErrorCode, ServiceError } from '../../shared/errors.ts';

/** Exit codes of `rtms`; docs/cli.md lists them. */
export const EXIT = {
  OK: 0,
  /** The command worked and found something wrong, or the request was refused. */
  FOUND: 1,
  /** Wrong options, or a name that was not given. */
  USAGE: 2,
  /** AWS or the webhook could not be reached, or gave no access. */
  UNREACHABLE: 3,
  /** The two streams contradict each other: something of a session is missing that nothing explains. */
  CONTRADICTORY: 4,
  /** Ended by Ctrl-C, SIGTERM or a broken pipe before the work was done. */
  INTERRUPTED: 130,
  /** A defect of this program. */
  DEFECT: 70,
} as const;

/** The same for every command that reports a verdict. */
export const EXIT_OF_VERDICT = {
  complete: EXIT.OK,
  incomplete: EXIT.FOUND,
  contradictory: EXIT.CONTRADICTORY,
} as const satisfies Record<Verdict, number>;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const USAGE_CODES: readonly ErrorCode[] = [
  'config/invalid',
  'local/port-in-use',
  'mcp/sdk-missing',
];

const UNREACHABLE_CODES: readonly ErrorCode[] = [
  'archive/store-failed',
  'archive/store-refused',
  'cli/unreachable',
  'kinesis/read-failed',
  'kinesis/read-refused',
  'kinesis/access-denied',
  'kinesis/stream-missing',
];

/** The exit code for an error; one that is no ServiceError is a defect of this program. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof ServiceError)) return EXIT.DEFECT;
  if (USAGE_CODES.includes(error.code)) return EXIT.USAGE;
  return UNREACHABLE_CODES.includes(error.code) ? EXIT.UNREACHABLE : EXIT.FOUND;
}
