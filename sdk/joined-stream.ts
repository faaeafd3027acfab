import { RtmsClient } from '../runner/rtms/client.ts';
import type { RtmsClientOptions } from '../runner/rtms/client-options.ts';
import type { RtmsJoin } from '../runner/rtms/events.ts';
import { Delivery, type DeliveryOptions } from './delivery.ts';
import { addLiveClient, finishClient, freeStream, type LiveClient } from './live-clients.ts';

/** One join of a client, from `join` until its last callback has finished. */
export class JoinedStream implements LiveClient {
  readonly rtms: RtmsClient;
  readonly #delivery: Delivery;
  #serverUrls: readonly string[];
  #connectedAtMs = 0;

  constructor(
    join: RtmsJoin,
    options: RtmsClientOptions,
    delivery: Omit<DeliveryOptions, 'streamId' | 'meetingId'>,
  ) {
    const { rtmsStreamId, entityId, serverUrls } = join;
    this.#serverUrls = serverUrls;
    this.rtms = new RtmsClient(options);
    this.#delivery = new Delivery(this.rtms, {
      ...delivery,
      streamId: rtmsStreamId,
      meetingId: entityId,
    });
    const connected = () => {
      this.#connectedAtMs = Date.now();
    };
    this.rtms.on('joined', connected);
    this.rtms.on('reconnected', ({ scope }) => scope === 'signaling' && connected());
    this.rtms.once('ended', () => freeStream(rtmsStreamId));
    void this.#delivery.ended.then(() => finishClient(this));
    addLiveClient(rtmsStreamId, this);
    this.rtms.join(join);
  }

  /** Settles after `onLeave`. */
  get finished(): Promise<void> {
    return this.#delivery.ended;
  }

  finish(): Promise<void> {
    void this.rtms.leave();
    return this.finished;
  }

  failOver(serverUrls: readonly string[]): void {
    // Zoom delivers the same event again when an answer was late: nothing has happened then.
    if (serverUrls.length === 0 || serverUrls.join() === this.#serverUrls.join()) return;
    this.#serverUrls = serverUrls;
    this.rtms.reconnect('failover', serverUrls);
  }

  interrupted(eventTsMs: number): void {
    if (this.rtms.state === 'reconnecting' || eventTsMs <= this.#connectedAtMs) return;
    this.rtms.reconnect('interrupted');
  }
}
