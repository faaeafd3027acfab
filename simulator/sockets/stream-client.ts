import { STATUS_CODE as STATUS } from '../../rtms/protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../../rtms/protocol/media-type.ts';
import type { AgreedParams } from '../media/media-params.ts';
import type { ClientConnection } from './connection.ts';

/** A media connection whose handshake succeeded. */
export interface MediaLink {
  readonly connection: ClientConnection;
  /** It is for every media type: no other connection may be opened beside it. */
  readonly exclusive: boolean;
  readonly mediaTypes: ReadonlySet<MediaType>;
  readonly params: AgreedParams;
  /** V2, individual video: the participant whose camera it is for. */
  readonly userId?: number | undefined;
}

/** What only one connection may carry: a media type, or with V2 one participant's camera. */
export type LinkKey = MediaType | `video/${number}`;

/** The keys of what a connection carries: only one connection at a time may have each of them. */
export function linkKeys({
  mediaTypes,
  userId,
}: {
  readonly mediaTypes: Iterable<MediaType>;
  readonly userId?: number | undefined;
}): LinkKey[] {
  return userId === undefined ? [...mediaTypes] : [`video/${userId}`];
}

/** What Zoom knows of a stream's client: its connections, and what it asked for on them. */
export class StreamClient {
  /** `event_type`s subscribed to. */
  readonly subscriptions = new Set<number>();
  /** Individual video: the participant whose camera is selected. */
  subscribedVideo: number | undefined;
  /** V2: participants whose cameras are selected, of those that have a connection. */
  readonly subscribedCameras = new Set<number>();
  /** Message 7 came on the current signaling connection. */
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

  /** @returns false when the connection had been replaced by another one before */
  loseSignaling(connection: ClientConnection): boolean {
    if (connection !== this.#signaling) return false;
    this.#signaling = undefined;
    this.ready = false;
    return true;
  }

  /** At most one connection for a media type or camera, and none beside an exclusive one. @returns STATUS_CODE */
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
   * A camera that is not selected needs no connection.
   *
   * @returns what has no connection now and needs one; nothing when the connection had been replaced
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

  /** V2: the client has opened a connection for a single camera, so it wants single cameras only. */
  get usesCameras(): boolean {
    return this.#usesCameras;
  }

  /** V2: open connections of single cameras. */
  get cameras(): MediaLink[] {
    return [...this.#links.values()].filter(
      ({ userId, connection }) => userId !== undefined && connection.open,
    );
  }

  /** The media connections of these media types; with `userId` only those of this participant's camera. */
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

  /** Ends every connection and every subscription. @param how `keep`: the connections stay open, in silence */
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

  /** Closes every connection, also those that `detach('keep')` left open. */
  closeAll(): void {
    this.detach('close');
    for (const connection of this.#lingering) connection.close();
  }
}
