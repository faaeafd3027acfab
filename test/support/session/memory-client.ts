import { EventEmitter } from 'node:events';
import type { RtmsJoin } from '../../../rtms/connection/handshake-signer.ts';
import type { RtmsClientEvents } from '../../../rtms/events.ts';
import type { AgreedMedia } from '../../../rtms/protocol/agreed-media.ts';
import type { SessionClient } from '../../../runner/session/context.ts';

/** An RTMS client without sockets: a test says what Zoom does, with `emit`, and sees what the session wants. */
export class MemoryClient extends EventEmitter<RtmsClientEvents> implements SessionClient {
  state = 'connecting';
  media: AgreedMedia = {};
  readonly joins: RtmsJoin[] = [];
  readonly reconnects: { readonly cause: string; readonly serverUrls: readonly string[] }[] = [];
  readonly leaves: { readonly closeStream?: boolean }[] = [];
  readonly selected: number[] = [];
  /** What Zoom still sends while the sockets close. */
  lastWords: () => void | Promise<void> = () => {};
  #left: Promise<void> | undefined;

  join(join: RtmsJoin): void {
    this.joins.push(join);
  }

  reconnect(cause: string, serverUrls: readonly string[] = []): void {
    this.reconnects.push({ cause, serverUrls });
  }

  leave(options: { readonly closeStream?: boolean } = {}): Promise<void> {
    this.leaves.push(options);
    this.#left ??= this.#close(options.closeStream === true ? 'closed' : 'left');
    return this.#left;
  }

  subscribeVideo(userId: number): void {
    this.selected.push(userId);
  }

  async #close(cause: 'closed' | 'left'): Promise<void> {
    await null;
    await this.lastWords();
    this.emit('ended', { cause, restartable: false });
  }
}
