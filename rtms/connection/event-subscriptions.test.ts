import { expect, test } from 'vitest';
import { EVENT_TYPE, ZCC_VOICE_EVENT_TYPE } from '../protocol/constants.ts';
import { PRODUCTS } from '../protocol/product.ts';
import { PRODUCT_EVENTS, subscriptionLists } from './event-subscriptions.ts';

test('the events of a product are all but those that Zoom sends without a subscription', () => {
  const { UNDEFINED, FIRST_PACKET_TIMESTAMP, MEDIA_CONNECTION_INTERRUPTED } = EVENT_TYPE;
  const automatic: number[] = [UNDEFINED, FIRST_PACKET_TIMESTAMP, MEDIA_CONNECTION_INTERRUPTED];
  const own = Object.values(EVENT_TYPE).filter((type) => !automatic.includes(type));
  const flat = PRODUCTS.map((product) => PRODUCT_EVENTS[product].flat());
  expect(flat).toEqual([own, own, own, Object.values(ZCC_VOICE_EVENT_TYPE), []]);
});

test('wanted events are subscribed to in the lists of the product, unknown ones in a list of their own', () => {
  const { ACTIVE_SPEAKER_CHANGE, PARTICIPANT_LEAVE, SHARING_STOP } = EVENT_TYPE;
  const wanted = new Set([99, SHARING_STOP, PARTICIPANT_LEAVE, ACTIVE_SPEAKER_CHANGE]);
  expect(subscriptionLists('meeting', wanted)).toEqual([
    [ACTIVE_SPEAKER_CHANGE, PARTICIPANT_LEAVE],
    [SHARING_STOP],
    [99],
  ]);
  expect(subscriptionLists('phone', new Set())).toEqual([]);
});
