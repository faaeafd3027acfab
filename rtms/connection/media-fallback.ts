import type { LeftOutMedia } from '../../shared/record/event-data.ts';
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

/** What a refusal is judged by. */
export interface MediaRefusal {
  readonly refused: PlannedMedia;
  readonly status: number | undefined;
  /** The other connections of the set, without those of single cameras: no refusal of another kind touches them. */
  readonly others: readonly PlannedMedia[];
  readonly offer: MediaOffer;
  /** Whether one connection for everything was tried after a refusal, and is what was refused now. */
  readonly unified: UnifiedFallback;
}

/** What to do about it: which connections to open, in place of the refused one or of all, and what is given up. */
export interface MediaFallback {
  readonly replace: 'refused' | 'all';
  readonly connections: readonly PlannedMedia[];
  readonly leftOut: readonly LeftOutMedia[];
  readonly unified: UnifiedFallback;
}

/** Refusals of the form of the question, not of a media type. */
const FORM_REFUSALS: ReadonlySet<number | undefined> = new Set([
  STATUS_CODE.INVALID_MEDIA_TYPE,
  STATUS_CODE.MEDIA_TYPE_INVALID_VALUE,
  STATUS_CODE.MEDIA_DATA_ALL_CONNECTION_EXIST,
  STATUS_CODE.DUPLICATE_MEDIA_DATA_CONNECTION,
]);

/** Zoom counts another connection already. */
export function isTakenStatus(status: number | undefined): boolean {
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
 * 4. One connection on `all` for everything, if the set has more to lose than the refused type.
 * 5. When that is refused too: the types with an address of their own, and nothing else.
 * 6. Else the types are left out.
 *
 * A connection for one participant's camera (V2) is only ever asked for on `all` instead; else this camera alone
 * stays away, whatever the status says.
 *
 * Every step leaves fewer ways than there were, so this ends.
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
 * Nobody knows how V2 refuses a participant whom it does not know: "invalid payload" ends a stream everywhere else,
 * and would here take the other cameras along.
 */
export function refusesCameraOnly({ userId }: PlannedMedia, closure: Closure): boolean {
  return (
    userId !== undefined &&
    closure.name === 'fatal' &&
    closure.status === STATUS_CODE.INVALID_PAYLOAD
  );
}

/**
 * How often a status 15 or 16 is waited out. After a reconnect it is our own old connection, which Zoom forgets
 * by and by. Where none was up before, it is the form of the question that Zoom refuses.
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

function leftOut(mediaTypes: readonly MediaType[], status: number | undefined): LeftOutMedia[] {
  return mediaTypes.map((mediaType) => ({
    mediaType,
    reason: 'refused',
    ...(status !== undefined && { status }),
  }));
}
