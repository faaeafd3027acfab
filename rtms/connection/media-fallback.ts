import type { LeftOutMedia } from '../protocol/agreed-media.ts';
import { STATUS_CODE } from '../protocol/constants.ts';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import type { Closure } from './connection-state.ts';
import {
  type MediaOffer,
  type PlannedMedia,
  splitConnections,
  type UnifiedFallback,
} from './media-plan.ts';
import { mediaTypeOfStatus } from './verdict.ts';

/** Everything that decides what follows from a refusal. */
export interface MediaRefusal {
  readonly refused: PlannedMedia;
  readonly status: number | undefined;
  /** The other connections of this handshake, without those of single cameras, which no other refusal concerns. */
  readonly others: readonly PlannedMedia[];
  readonly offer: MediaOffer;
  /** Whether one connection for everything was opened after an earlier refusal; if `current`, it is refused now. */
  readonly unified: UnifiedFallback;
}

/** What follows from a refusal: the connections to open in place of the refused one or of all, and what is left out. */
export interface MediaFallback {
  readonly replace: 'refused' | 'all';
  readonly connections: readonly PlannedMedia[];
  readonly leftOut: readonly LeftOutMedia[];
  readonly unified: UnifiedFallback;
}

/** Zoom refuses the form of the request with these, not a media type. */
const FORM_REFUSALS: ReadonlySet<number | undefined> = new Set([
  STATUS_CODE.INVALID_MEDIA_TYPE,
  STATUS_CODE.MEDIA_TYPE_INVALID_VALUE,
  STATUS_CODE.MEDIA_DATA_ALL_CONNECTION_EXIST,
  STATUS_CODE.DUPLICATE_MEDIA_DATA_CONNECTION,
]);

/** Zoom counts another connection for the same media already. */
function isTakenStatus(status: number | undefined): boolean {
  return (
    status === STATUS_CODE.MEDIA_DATA_ALL_CONNECTION_EXIST ||
    status === STATUS_CODE.DUPLICATE_MEDIA_DATA_CONNECTION
  );
}

/**
 * Finds another way to ask for what a refused media connection was to carry.
 *
 * 1. A status that names one of its media types costs that type; the others are asked for again.
 * 2. Several types on one connection are asked for one by one, unless another connection is in the way.
 * 3. A type whose own address does not take it is asked for on `all`.
 * 4. Everything is asked for on one connection on `all`, if there are other connections beside the refused one.
 * 5. When that is refused too: the types that have an address of their own are asked for there, the others are left out.
 * 6. Otherwise the types of the refused connection are left out.
 *
 * A connection for one participant's camera (V2) is asked for on `all` at most. Otherwise only this camera is left out,
 * whatever the status says.
 *
 * Each step leaves fewer steps to try, so the fallback ends.
 */
export function fallBack(refusal: MediaRefusal): MediaFallback {
  const { refused, status, others, offer, unified } = refusal;
  const { url, mediaTypes } = refused;
  if (refused.userId !== undefined) {
    const { all } = offer;
    const mayMove = FORM_REFUSALS.has(status) && !isTakenStatus(status);
    const connections =
      mayMove && all !== undefined && url !== all ? [{ ...refused, url: all }] : [];
    return { replace: 'refused', connections, leftOut: [], unified };
  }
  const everything = MEDIA_TYPES.filter((mediaType) =>
    [refused, ...others].some((plan) => plan.mediaTypes.includes(mediaType)),
  );
  const named = status === undefined ? undefined : mediaTypeOfStatus(status);
  if (named !== undefined && mediaTypes.includes(named)) {
    const rest = mediaTypes.filter((mediaType) => mediaType !== named);
    const connections = rest.length > 0 ? [{ url, mediaTypes: rest }] : [];
    return { replace: 'refused', connections, leftOut: leftOut([named], status), unified };
  }
  if (unified === 'current' && FORM_REFUSALS.has(status)) {
    const connections = splitConnections(everything, offer.own);
    const rest = everything.filter((mediaType) => offer.own[mediaType] === undefined);
    return { replace: 'all', connections, leftOut: leftOut(rest, status), unified: 'refused' };
  }
  if (!isTakenStatus(status) && mediaTypes.length > 1) {
    const connections = mediaTypes.map((mediaType) => ({ url, mediaTypes: [mediaType] }));
    return { replace: 'refused', connections, leftOut: [], unified };
  }
  const { all } = offer;
  if (FORM_REFUSALS.has(status) && all !== undefined) {
    if (!isTakenStatus(status) && url !== all) {
      const connections = [{ url: all, mediaTypes }];
      return { replace: 'refused', connections, leftOut: [], unified };
    }
    if (unified === 'untried' && others.length > 0) {
      const connections = [{ url: all, mediaTypes: everything }];
      return { replace: 'all', connections, leftOut: [], unified: 'current' };
    }
  }
  return { replace: 'refused', connections: [], leftOut: leftOut(mediaTypes, status), unified };
}

/**
 * Whether a refusal that would end the stream concerns one camera alone. How V2 refuses a participant whom it does not
 * know is not public. "Invalid payload" ends a stream everywhere else, and would end the other cameras with it here.
 */
export function refusesCameraOnly({ userId }: PlannedMedia, closure: Closure): boolean {
  return (
    userId !== undefined &&
    closure.name === 'fatal' &&
    closure.status === STATUS_CODE.INVALID_PAYLOAD
  );
}

/**
 * Whether to try again after status 15 or 16. After a reconnect the status is about our own old connection, which Zoom
 * stops counting after a while. If none was up before, Zoom refuses the form of the request.
 */
export function waitsOutTaken(
  attempt: number,
  hasBeenUp: boolean,
  { others, offer, unified }: Omit<MediaRefusal, 'refused' | 'status'>,
): boolean {
  if (hasBeenUp) return true;
  if (unified === 'current') return attempt < 4;
  return attempt < 2 || unified === 'refused' || others.length === 0 || offer.all === undefined;
}

/**
 * The reason of each wanted media type that does not flow.
 *
 * @param known reasons from the plan and from refusals
 * @param notGranted types that an answer for everything came without
 * @param hasCameras V2: video is not missing as long as no camera was selected
 */
export function reasonsOf(
  missing: readonly MediaType[],
  {
    known,
    notGranted,
    hasCameras,
  }: {
    readonly known: ReadonlyMap<MediaType, LeftOutMedia>;
    readonly notGranted: readonly MediaType[];
    readonly hasCameras: boolean;
  },
): LeftOutMedia[] {
  return missing
    .filter((mediaType) => !(hasCameras && mediaType === 'video') || known.has(mediaType))
    .map(
      (mediaType) =>
        known.get(mediaType) ?? {
          mediaType,
          reason: notGranted.includes(mediaType) ? 'not_granted' : 'not_connected',
        },
    );
}

function leftOut(mediaTypes: readonly MediaType[], status: number | undefined): LeftOutMedia[] {
  return mediaTypes.map((mediaType) => ({
    mediaType,
    reason: 'refused',
    ...(status !== undefined && { status }),
  }));
}
