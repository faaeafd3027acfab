import {
  type NotSentReason,
  type SentSourceId,
  SentLedger as ShippedLedger,
} from '../../../simulator/sent-ledger.ts';
import type { ClientConnection } from '../../../simulator/sockets/connection.ts';
import { world } from '../world/world.ts';

export type * from '../../../simulator/sent-ledger.ts';

/** The simulator's own book of what it sent, which also writes it into the history of the run. */
export class SentLedger extends ShippedLedger {
  readonly #rtmsStreamId: string;

  constructor(rtmsStreamId: string, sentDir?: string) {
    super(rtmsStreamId, sentDir);
    this.#rtmsStreamId = rtmsStreamId;
  }

  override frameSent(
    id: SentSourceId,
    payload: Buffer,
    timestampMs: number,
    connection: ClientConnection,
  ): void {
    super.frameSent(id, payload, timestampMs, connection);
    world().recorder.frame(this.#rtmsStreamId, id, timestampMs);
  }

  override frameNotSent(id: SentSourceId, timestampMs: number, reason: NotSentReason): void {
    super.frameNotSent(id, timestampMs, reason);
    world().recorder.frame(this.#rtmsStreamId, id, timestampMs, reason);
  }
}
