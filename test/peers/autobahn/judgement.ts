import { MAX_MESSAGE_BYTES } from '../../../rtms/wire/socket.ts';

/** One case of the suite, as its own report has it. */
export interface CaseReport {
  readonly id: string;
  readonly description: string;
  readonly expectation: string;
  /** What the suite says about the messages, and about how the connection ended. */
  readonly behavior: string;
  readonly behaviorClose: string;
}

/** What `ws` allows at most. The suite ends a message with an empty piece, so that 16,384 full ones are one too many. */
const MAX_PIECES = 16_384;

/** A way in which our client is meant to differ from what the suite asks for. */
interface Deviation {
  readonly name: string;
  readonly reason: string;
  applies(report: CaseReport, webSocket: 'lean' | 'ws'): boolean;
}

export const DEVIATIONS: readonly Deviation[] = [
  {
    name: 'messages of 16 MB',
    reason:
      'a message over 8 MiB is refused with close code 1009: the limit protects the memory of a runner, and the largest message known of Zoom, a share in QHD as PNG, has some 3 MB',
    applies: ({ description }) => description.includes('16 * 2**20'),
  },
  {
    name: 'messages in more than 16,384 pieces',
    reason:
      '`ws` keeps an object for each piece and refuses more of them, with close code 1008; our own code copies the pieces and has no such limit',
    applies: ({ description }, webSocket) => webSocket === 'ws' && isInTooManyPieces(description),
  },
  {
    name: 'sending binary',
    reason:
      'nothing of the protocol is sent in binary, so the client cannot; what the suite sent was read to its last byte (the sizes are compared)',
    applies: ({ description, expectation }) => /binary/i.test(description + expectation),
  },
  {
    name: 'text that is not UTF-8',
    reason:
      'one broken message must not end the session of a meeting: it is reported as malformed and the connection goes on, where RFC 6455 would end it',
    applies: ({ expectation }) => /UTF-?8/i.test(expectation),
  },
  {
    name: 'a pong for every ping',
    reason:
      'of several pings in a row the last is answered, which RFC 6455, section 5.5.3, allows; the suite says so itself',
    applies: ({ expectation }) => expectation.includes('not required by the Spec'),
  },
];

const FINE = ['OK', 'NON-STRICT', 'INFORMATIONAL', 'UNIMPLEMENTED'];

/** @returns `fine`, the deviation that a case shows, or undefined: our client is wrong */
export function judge(
  report: CaseReport,
  webSocket: 'lean' | 'ws',
): 'fine' | Deviation | undefined {
  const { behavior, behaviorClose } = report;
  if (FINE.includes(behavior) && FINE.includes(behaviorClose)) return 'fine';
  return DEVIATIONS.find((deviation) => deviation.applies(report, webSocket));
}

/** The bytes that our client should read of what a case announces: nothing when the message is refused. */
export function bytesToRead(description: string, webSocket: 'lean' | 'ws'): number | undefined {
  const announced = announcedBytes(description);
  if (announced === undefined) return undefined;
  const isRefused =
    announced > MAX_MESSAGE_BYTES || (webSocket === 'ws' && isInTooManyPieces(description));
  return isRefused ? 0 : announced;
}

function isInTooManyPieces(description: string): boolean {
  const [, size, unit = ''] = /fragments of (\d+)([kM]?)/.exec(description) ?? [];
  if (size === undefined) return false;
  const pieceBytes = Number(size) * 1024 ** ['', 'k', 'M'].indexOf(unit);
  return (announcedBytes(description) ?? 0) / pieceBytes >= MAX_PIECES;
}

/** The bytes that a case says it sends: `length 64 * 2**10 (64k)`, `length 65536`; undefined where it names none. */
function announcedBytes(description: string): number | undefined {
  const [, factor, exponent] = /length (\d+)(?: \* 2\*\*(\d+))?/.exec(description) ?? [];
  return factor === undefined ? undefined : Number(factor) * 2 ** Number(exponent ?? 0);
}
