import {
  type NotSentReason,
  type SentSourceId,
  type SentTranscript,
  SentLedger as ShippedLedger,
} from '../../../simulator/sent-ledger.ts';
import type { ClientConnection } from '../../../simulator/sockets/connection.ts';
import { world } from '../world/world.ts';

export type * from '../../../simulator/sent-ledger.ts';

const sockets = new WeakMap<ClientConnection, number>();

/** The simulator's book of what it sent: frames and lines of the transcript go into the history of the run, and the rest into its own book. */
export class SentLedger extends ShippedLedger {
  readonly #rtmsStreamId: string;

  constructor(rtmsStreamId: string, sentDir?: string) {
    super(rtmsStreamId, sentDir);
    this.#rtmsStreamId = rtmsStreamId;
  }

  override frameSent(
    id: SentSourceId,
    _payload: Buffer,
    timestampMs: number,
    connection: ClientConnection,
  ): void {
    let socket = sockets.get(connection);
    if (socket === undefined) {
      // The frame was handed to the connection right before, and that asked its socket whether it is open.
      socket = world().lastServerLink?.id;
      if (socket !== undefined) sockets.set(connection, socket);
    }
    world().recorder.frame(this.#rtmsStreamId, id, timestampMs, { socket });
  }

  override frameNotSent(id: SentSourceId, timestampMs: number, reason: NotSentReason): void {
    world().recorder.frame(this.#rtmsStreamId, id, timestampMs, { notSent: reason });
  }

  override transcript({ userId, text, timestampMs, sent }: SentTranscript): void {
    // As above: that it was sent was asked of its socket right before.
    const socket = sent ? world().lastServerLink?.id : undefined;
    world().recorder.add({
      kind: 'line',
      rtmsStreamId: this.#rtmsStreamId,
      source: String(userId),
      text,
      capturedAtMs: timestampMs,
      ...(socket !== undefined && { socket }),
    });
  }
}
