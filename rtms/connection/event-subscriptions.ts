import { EVENT_TYPE, ZCC_VOICE_EVENT_TYPE } from '../protocol/constants.ts';
import type { Product } from '../protocol/product.ts';

/** Several short lists: if Zoom refuses a list because of one entry, the other lists stand. */
const MEETING_EVENTS = [
  [EVENT_TYPE.ACTIVE_SPEAKER_CHANGE, EVENT_TYPE.PARTICIPANT_JOIN, EVENT_TYPE.PARTICIPANT_LEAVE],
  [EVENT_TYPE.SHARING_START, EVENT_TYPE.SHARING_STOP],
  [EVENT_TYPE.PARTICIPANT_VIDEO_ON, EVENT_TYPE.PARTICIPANT_VIDEO_OFF],
  [
    EVENT_TYPE.CHAT_GROUP_CREATE,
    EVENT_TYPE.CHAT_GROUP_DELETE,
    EVENT_TYPE.CHAT_GROUP_MEMBERS_ADD,
    EVENT_TYPE.CHAT_GROUP_MEMBERS_DELETE,
    EVENT_TYPE.CHAT_GROUP_MEMBER_STATUS_UPDATE,
  ],
];

/**
 * Every event type of a product, in the lists of message 5 that subscribe to them. Phone has none: it numbers its
 * events by codes that are not public.
 */
export const PRODUCT_EVENTS: Readonly<Record<Product, readonly (readonly number[])[]>> = {
  meeting: MEETING_EVENTS,
  webinar: MEETING_EVENTS,
  session: MEETING_EVENTS,
  contact_center: [Object.values(ZCC_VOICE_EVENT_TYPE)],
  phone: [],
};

/** The wanted event types as the lists of message 5: the product's own lists first, then one of those it does not have. */
export function subscriptionLists(product: Product, wanted: ReadonlySet<number>): number[][] {
  const lists = PRODUCT_EVENTS[product];
  const listed = new Set(lists.flat());
  return [...lists, [...wanted].filter((type) => !listed.has(type))]
    .map((list) => list.filter((type) => wanted.has(type)))
    .filter((list) => list.length > 0);
}
