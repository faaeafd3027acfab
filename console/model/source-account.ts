import type { PartialMediaSource } from '../../rtms/protocol/media-type.ts';
import type { Frame } from '../../sdk/consumer/index.ts';
import { sourceKey } from '../../sdk/consumer/index.ts';
import type { LedgerRow } from '../../shared/record/event-data.ts';
import type { SourceView } from '../views.ts';

/** Sources of one meeting that are counted: cameras and speakers of the largest meetings, many times over. */
const MOST_SOURCES = 5_000;

interface NamedSource extends PartialMediaSource {
  readonly mediaType: string;
}

interface Account {
  readonly mediaType: string;
  readonly userId: number | undefined;
  who: string;
  codec: string;
  epoch: number;
  sequence: number;
  frames: number;
  bytes: number;
  skipped: number;
  lost: number;
  ledger: { received: number; written: number; lost: number } | undefined;
  lastAtMs: number | undefined;
}

/** Text that names a source of a meeting, in the page and in its requests: `audio user 16778240`. */
export function accountKey(source: NamedSource): string {
  return `${source.mediaType} ${sourceKey(source)}`.trim();
}

/** Counts the frames of each source of one meeting against their numbers, the gap events and the ledger. */
export class SourceAccounts {
  readonly #accounts = new Map<string, Account>();

  frame(frame: Frame): void {
    const account = this.#of(frame);
    if (account === undefined) return;
    if (frame.userName !== '') account.who = frame.userName;
    account.codec = frame.codec;
    account.frames += 1;
    account.bytes += frame.payload.length;
    account.lastAtMs = frame.capturedAt.getTime();
    // A new epoch counts from 1. What an epoch wrote before this console looked is not counted.
    const isNext = frame.epoch === account.epoch && account.sequence > 0;
    if (isNext) account.skipped += Math.max(0, frame.sequence - account.sequence - 1);
    if (frame.epoch >= account.epoch) {
      account.epoch = frame.epoch;
      account.sequence = frame.sequence;
    }
  }

  gap(gap: NamedSource & { readonly count: number }): void {
    const account = this.#of(gap);
    if (account !== undefined) account.lost += gap.count;
  }

  ledger(rows: readonly LedgerRow[]): void {
    for (const row of rows) {
      const account = this.#of(row);
      const { received, written, lost } = row;
      if (account !== undefined) account.ledger = { received, written, lost };
    }
  }

  /** @param nameOf the display name of a user, where the roster has one */
  view(most: number, nameOf: (userId: number | undefined) => string | undefined): SourceView[] {
    return [...this.#accounts]
      .sort(([, a], [, b]) => (b.lastAtMs ?? 0) - (a.lastAtMs ?? 0))
      .slice(0, most)
      .map(([key, account]) => ({
        key,
        mediaType: account.mediaType,
        who: account.who || nameOf(account.userId) || sourceName(key),
        codec: account.codec,
        epoch: account.epoch,
        frames: account.frames,
        bytes: account.bytes,
        unexplained: Math.max(0, account.skipped - account.lost),
        lost: account.lost,
        ...(account.ledger && { ledger: account.ledger }),
        ...(account.lastAtMs !== undefined && { lastAtMs: account.lastAtMs }),
      }))
      .sort((a, b) => a.key.localeCompare(b.key));
  }

  clear(): void {
    this.#accounts.clear();
  }

  #of(source: NamedSource): Account | undefined {
    const key = accountKey(source);
    const known = this.#accounts.get(key);
    if (known !== undefined || this.#accounts.size >= MOST_SOURCES) return known;
    const account: Account = {
      mediaType: source.mediaType,
      userId: source.userId,
      who: '',
      codec: '',
      epoch: 0,
      sequence: 0,
      frames: 0,
      bytes: 0,
      skipped: 0,
      lost: 0,
      ledger: undefined,
      lastAtMs: undefined,
    };
    this.#accounts.set(key, account);
    return account;
  }
}

function sourceName(key: string): string {
  return key.includes(' ') ? key.slice(key.indexOf(' ') + 1) : 'everybody';
}
