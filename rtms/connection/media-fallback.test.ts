import { fc, test as prop } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import {
  fallBack,
  type MediaFallback,
  type MediaRefusal,
  refusesCameraOnly,
  waitsOutTaken,
} from './media-fallback.ts';
import type { MediaOffer, PlannedMedia } from './media-plan.ts';

const all = 'wss://h/all';
const OFFER: MediaOffer = { own: { audio: 'wss://h/audio', video: 'wss://h/video' }, all };
const own = (mediaType: MediaType): PlannedMedia => ({
  url: `wss://h/${mediaType}`,
  mediaTypes: [mediaType],
});
const overAll = (...mediaTypes: MediaType[]): PlannedMedia => ({ url: all, mediaTypes });

/** `replace connections | left out`, in short. */
function told({ replace, connections, leftOut, unified }: MediaFallback): string {
  const opened = connections.map(
    ({ url, mediaTypes }) => `${url.slice(8)}:${mediaTypes.join('+')}`,
  );
  const gone = leftOut.map(({ mediaType, status }) => `${mediaType}(${status})`);
  return `${replace} ${opened.join(' ')} | ${gone.join(' ')} | ${unified}`;
}

const camera = (address: string): PlannedMedia => ({
  url: address,
  mediaTypes: ['video'],
  userId: 5,
});

type Row = [string, Partial<MediaRefusal> & Pick<MediaRefusal, 'refused' | 'status'>, string];

test.each<Row>([
  [
    'a camera whose address does not take it: over `all`, alone',
    { refused: camera('wss://h/video'), status: 7, others: [own('audio')] },
    'refused all:video |  | untried',
  ],
  [
    'a camera that is refused there too: it alone stays away',
    { refused: camera(all), status: 7, others: [own('audio')] },
    'refused  |  | untried',
  ],
  [
    'a camera whose refusal names video: it alone stays away',
    { refused: camera('wss://h/video'), status: 10, others: [own('audio')] },
    'refused  |  | untried',
  ],
  [
    'a camera that Zoom counts already: it alone stays away',
    { refused: camera('wss://h/video'), status: 16, others: [own('audio')] },
    'refused  |  | untried',
  ],
  [
    'a status that names a type costs that type',
    { refused: overAll('deskshare', 'chat'), status: 13 },
    'refused all:deskshare | chat(13) | untried',
  ],
  [
    'and with it the connection',
    { refused: overAll('chat'), status: 13 },
    'refused  | chat(13) | untried',
  ],
  [
    'a status that names another type: one by one',
    { refused: overAll('deskshare', 'chat'), status: 9 },
    'refused all:deskshare all:chat |  | untried',
  ],
  [
    'a form that is refused: one by one',
    { refused: overAll('deskshare', 'chat'), status: 7 },
    'refused all:deskshare all:chat |  | untried',
  ],
  [
    'a single type: one connection for everything',
    { refused: overAll('chat'), status: 7, others: [own('audio'), own('video')] },
    'all all:audio+video+chat |  | current',
  ],
  [
    'an own address that does not take its type: over `all`',
    { refused: own('audio'), status: 7, others: [own('video')] },
    'refused all:audio |  | untried',
  ],
  ...[15, 16].map(
    (status): Row => [
      `status ${status} beside others: one connection for everything`,
      { refused: overAll('deskshare', 'chat'), status, others: [own('audio')] },
      'all all:audio+deskshare+chat |  | current',
    ],
  ),
  ...[7, 14, 15, 16].map(
    (status): Row => [
      `status ${status} to that: own addresses only`,
      { refused: overAll('audio', 'video', 'chat'), status, unified: 'current' },
      `all audio:audio video:video | chat(${status}) | refused`,
    ],
  ),
  [
    'one of its singles: own addresses of all the others too',
    { refused: overAll('chat'), others: [overAll('audio')], status: 15, unified: 'current' },
    'all audio:audio | chat(15) | refused',
  ],
  [
    'once that was in vain: left out',
    { refused: overAll('chat'), status: 16, others: [own('audio')], unified: 'refused' },
    'refused  | chat(16) | refused',
  ],
  [
    'no address for everything: left out',
    { refused: own('audio'), status: 7, others: [own('video')], offer: { own: OFFER.own } },
    'refused  | audio(7) | untried',
  ],
  [
    'a status about parameters: left out',
    { refused: own('audio'), status: 17 },
    'refused  | audio(17) | untried',
  ],
  [
    'no status: left out',
    { refused: own('audio'), status: undefined },
    'refused  | audio(undefined) | untried',
  ],
])('%s', (_title, refusal, expected) => {
  expect(told(fallBack({ others: [], offer: OFFER, unified: 'untried', ...refusal }))).toBe(
    expected,
  );
});

const status = fc.constantFrom(1, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 22, 75);

prop.prop([fc.infiniteStream(status), fc.infiniteStream(fc.nat(4))])(
  'whatever Zoom refuses, every media type ends up carried or left out, in few steps',
  (statuses, picks) => {
    let unified: MediaRefusal['unified'] = 'untried';
    let plans = [own('audio'), own('video'), overAll('deskshare', 'transcript', 'chat')];
    const leftOut: MediaType[] = [];
    for (let steps = 0; plans.length > 0; steps++) {
      expect(steps).toBeLessThan(40);
      const refused = plans[Number(picks.next().value) % plans.length] as PlannedMedia;
      const others = plans.filter((plan) => plan !== refused);
      const next = fallBack({
        refused,
        others,
        offer: OFFER,
        unified,
        status: Number(statuses.next().value),
      });
      unified = next.unified;
      plans = [...(next.replace === 'all' ? [] : others), ...next.connections];
      leftOut.push(...next.leftOut.map(({ mediaType }) => mediaType));
      const carried = plans.flatMap(({ mediaTypes }) => mediaTypes);
      expect([...carried, ...leftOut].sort()).toEqual([...MEDIA_TYPES].sort());
    }
  },
);

test('the client waits while Zoom counts an old connection, but not if there was none', () => {
  const beside = { others: [own('audio')], offer: OFFER, unified: 'untried' } as const;
  expect(waitsOutTaken(99, true, beside)).toBe(true);
  expect([1, 2].map((attempt) => waitsOutTaken(attempt, false, beside))).toEqual([true, false]);
  expect(waitsOutTaken(99, false, { ...beside, others: [] })).toBe(true);
  expect(waitsOutTaken(99, false, { ...beside, offer: { own: OFFER.own } })).toBe(true);
  const alone = { ...beside, others: [], unified: 'current' } as const;
  expect([3, 4].map((attempt) => waitsOutTaken(attempt, false, alone))).toEqual([true, false]);
});

test.each<[PlannedMedia, 'fatal' | 'refused', number, boolean]>([
  [camera(all), 'fatal', 4, true],
  [camera(all), 'fatal', 2, false],
  [camera(all), 'refused', 25, false],
  [own('video'), 'fatal', 4, false],
])('%j, %s by status %i, ends that camera alone: %s', (plan, name, status, expected) => {
  expect(refusesCameraOnly(plan, { name, status, cause: 'x' })).toBe(expected);
});
