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
  /** V2, individual video: whose camera it is for. */
  readonly userId?: number | undefined;
}

/** What only one connection may carry: a media type, or with V2 one participant's camera. */
export type LinkKey = MediaType | `video/${number}`;

export function linkKeys({
  mediaTypes,
  userId,
}: {
  readonly mediaTypes: Iterable<MediaType>;
  readonly userId?: number | undefined;
}): LinkKey[] {
  return userId === undefined ? [...mediaTypes] : [`video/${userId}`];
}

/** What Zoom holds of a stream's client: its connections, and what it asked for on them. */
export class StreamClient {
  /** `event_type`s subscribed to. */
  readonly subscriptions = new Set<number>();
  /** Individual video: whose camera. */
  subscribedVideo: number | undefined;
  /** V2: whose cameras, of those that have a connection. */
  readonly subscribedCameras = new Set<number>();
  /** Message 7 came on the present signaling connection. */
  ready = false;
  readonly #links = new Map<LinkKey, MediaLink>();
  #usesCameras = false;
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

  /** At most one connection a media type or camera, and none beside an exclusive one. @returns STATUS_CODE */
  mediaStatus(exclusive: boolean, keys: readonly LinkKey[]): number {
    const live = [...this.#links.values()].filter(({ connection }) => connection.open);
    if (live.some((link) => link.exclusive)) return STATUS.MEDIA_DATA_ALL_CONNECTION_EXIST;
    const isTaken = keys.some((key) => this.#links.get(key)?.connection.open);
    return isTaken || (exclusive && live.length > 0)
      ? STATUS.DUPLICATE_MEDIA_DATA_CONNECTION
      : STATUS.OK;
  }

  addMedia(link: MediaLink): void {
    for (const key of linkKeys(link)) this.#links.set(key, link);
    if (link.userId !== undefined) this.#usesCameras = true;
  }

  /**
   * A camera that is not selected may go without anybody missing it.
   *
   * @returns what has no connection now and should have one; nothing when it had been replaced
   */
  loseMedia(connection: ClientConnection): LinkKey[] {
    const lost = [...this.#links].filter(([, link]) => link.connection === connection);
    for (const [key] of lost) this.#links.delete(key);
    return lost
      .filter(([, { userId }]) => userId === undefined || this.subscribedCameras.delete(userId))
      .map(([key]) => key);
  }

  media(key: LinkKey): MediaLink | undefined {
    const link = this.#links.get(key);
    return link?.connection.open ? link : undefined;
  }

  /** V2: the client has opened a connection for a camera, so no other video is meant. */
  get usesCameras(): boolean {
    return this.#usesCameras;
  }

  /** V2: open connections of single cameras. */
  get cameras(): MediaLink[] {
    return [...this.#links.values()].filter(
      ({ userId, connection }) => userId !== undefined && connection.open,
    );
  }

  /** Every media connection that carries one of the media types, with `userId` of this participant's camera alone. */
  mediaConnections(
    mediaTypes: readonly MediaType[] = MEDIA_TYPES,
    userId?: number,
  ): ClientConnection[] {
    const links = [...this.#links.values()].filter(
      (link) =>
        mediaTypes.some((mediaType) => link.mediaTypes.has(mediaType)) &&
        (userId === undefined || link.userId === userId),
    );
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
    this.subscribedCameras.clear();
    this.#usesCameras = false;
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
