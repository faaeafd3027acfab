import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRODUCT_EVENTS, signHandshake, subscriptionLists } from './client-messages.ts';
import { EVENT_TYPE, ZCC_VOICE_EVENT_TYPE } from './constants.ts';
import { PRODUCTS } from './product.ts';

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

const file = new URL('../../test/fixtures/rtms/signaling/signature-vectors.json', import.meta.url);

interface Vector {
  product: string;
  client_id: string;
  client_secret: string;
  id: string;
  rtms_stream_id: string;
  signature: string;
}

const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

test.each(vectors.map((vector) => [vector.product, vector] as const))(
  'signs a handshake of product %s as the vector says',
  (_product, vector) => {
    const signature = signHandshake({
      clientId: vector.client_id,
      clientSecret: vector.client_secret,
      entityId: vector.id,
      rtmsStreamId: vector.rtms_stream_id,
    });
    expect(signature).toBe(vector.signature);
  },
);
