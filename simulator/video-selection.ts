import { MEDIA_DATA_OPTION, STATUS_CODE as STATUS } from '../rtms/protocol/constants.ts';
import type { Meeting } from './scenario/meeting.ts';
import type { MediaLink, StreamClient } from './sockets/stream-client.ts';

/** Whose video a client has selected: one participant's with V1, with V2 that of every camera with a connection. */
export class VideoSelection {
  readonly #client: StreamClient;
  readonly #meeting: Meeting;

  constructor(client: StreamClient, meeting: Meeting) {
    this.#client = client;
    this.#meeting = meeting;
  }

  /** Message 28. @returns STATUS_CODE of message 29 */
  subscribe(userId: number, on: boolean): number {
    const client = this.#client;
    if (client.media(`video/${userId}`) !== undefined) return this.#selectCamera(userId, on);
    const option = client.media('video')?.params.video?.data_opt;
    if (option !== MEDIA_DATA_OPTION.VIDEO_SINGLE_INDIVIDUAL_STREAM) {
      return STATUS.INVALID_MEDIA_VIDEO_DATA_OPT;
    }
    if (!on) {
      if (client.subscribedVideo === userId) client.subscribedVideo = undefined;
      return STATUS.OK;
    }
    if (client.subscribedVideo === userId) return STATUS.DUPLICATE_VIDEO_SUBSCRIPTION;
    if (!this.#meeting.isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    client.subscribedVideo = userId;
    return STATUS.OK;
  }

  /** V2: the connections of selected cameras; undefined as long as the client has not opened one for a single camera. */
  cameras(): MediaLink[] | undefined {
    const client = this.#client;
    if (!client.usesCameras) return undefined;
    return client.cameras.filter(({ userId = 0 }) => client.subscribedCameras.has(userId));
  }

  /** V2: one more camera, or one less. The others stay selected. */
  #selectCamera(userId: number, on: boolean): number {
    const { subscribedCameras } = this.#client;
    if (on && subscribedCameras.has(userId)) return STATUS.DUPLICATE_VIDEO_SUBSCRIPTION;
    if (on && !this.#meeting.isPresent(userId)) return STATUS.INVALID_PAYLOAD;
    if (on) subscribedCameras.add(userId);
    else subscribedCameras.delete(userId);
    return STATUS.OK;
  }
}
