import { STATUS_CODE as STATUS } from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import type { EffectiveParams } from '../media/media-params.ts';
import type { ClientConnection } from './connection.ts';

/** A media connection whose handshake succeeded. */
export interface MediaLink {
  readonly connection: ClientConnection;
  /** Stands for every media type: no other connection may be opened beside it. */
  readonly exclusive: boolean;
  readonly mediaTypes: ReadonlySet<MediaType>;
  readonly params: EffectiveParams;
}

/** What Zoom holds of a stream's client: its connections, and what it asked for on them. */
export class StreamClient {
  /** `event_type`s subscribed to. */
  readonly subscriptions = new Set<number>();
  /** Individual video: whose camera. */
  subscribedVideo: number | undefined;
  /** Message 7 came on the present signaling connection. */
  ready = false;
  readonly #links = new Map<MediaType, MediaLink>();
  readonly #lingering: ClientConnection[] = [];
  #signaling: ClientConnection | undefined;

  get signaling(): ClientConnection | undefined {
    return this.#signaling?.open ? this.#signaling : undefined;
  }

  takeSignaling(connection: ClientConnection): void {
    this.#signaling = connection;
  }

  /** @returns false when the connection was not the present one: it had been replaced */
  loseSignaling(connection: ClientConnection): boolean {
    if (connection !== this.#signaling) return false;
    this.#signaling = undefined;
    this.ready = false;
    return true;
  }

  /** At most one connection a media type, and none beside an exclusive one. @returns STATUS_CODE */
  mediaStatus(exclusive: boolean, mediaTypes: readonly MediaType[]): number {
    const live = [...this.#links.values()].filter(({ connection }) => connection.open);
    if (live.some((link) => link.exclusive)) return STATUS.MEDIA_DATA_ALL_CONNECTION_EXIST;
    const isTaken = mediaTypes.some((mediaType) => this.#links.get(mediaType)?.connection.open);
    return isTaken || (exclusive && live.length > 0)
      ? STATUS.DUPLICATE_MEDIA_DATA_CONNECTION
      : STATUS.OK;
  }

  addMedia(link: MediaLink): void {
    for (const mediaType of link.mediaTypes) this.#links.set(mediaType, link);
  }

  /** @returns the media types that have no connection now; none when it had been replaced */
  loseMedia(connection: ClientConnection): MediaType[] {
    const lost = [...this.#links].filter(([, link]) => link.connection === connection);
    for (const [mediaType] of lost) this.#links.delete(mediaType);
    return lost.map(([mediaType]) => mediaType);
  }

  media(mediaType: MediaType): MediaLink | undefined {
    const link = this.#links.get(mediaType);
    return link?.connection.open ? link : undefined;
  }

  /** Every media connection that carries one of the media types. */
  mediaConnections(mediaTypes: readonly MediaType[] = MEDIA_TYPES): ClientConnection[] {
    const links = mediaTypes.flatMap((mediaType) => this.#links.get(mediaType) ?? []);
    return [...new Set(links.map(({ connection }) => connection))];
  }

  /** Message on the signaling connection. @returns whether there was one */
  send(message: Readonly<Record<string, unknown>>): boolean {
    return this.#signaling?.send(JSON.stringify(message)) ?? false;
  }

  /** Lets go of every connection and forgets what was asked for; `keep`: they stay open, in silence. */
  detach(how: 'close' | 'cut' | 'keep'): void {
    const connections = this.mediaConnections();
    if (this.#signaling) connections.push(this.#signaling);
    this.#signaling = undefined;
    this.#links.clear();
    this.subscriptions.clear();
    this.subscribedVideo = undefined;
    this.ready = false;
    for (const connection of connections) {
      if (how === 'close') connection.close();
      else if (how === 'cut') connection.cut();
      else this.#lingering.push(connection);
    }
  }

  /** Also what `detach('keep')` left. */
  closeAll(): void {
    this.detach('close');
    for (const connection of this.#lingering) connection.close();
  }
}
