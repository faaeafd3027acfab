import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VideoFollow } from '../../shared/video-follow.ts';
import { ADA, BEN, CY, NAMES, THREE_CAMERAS } from '../support/three-cameras.ts';
import { startWorld, type World } from '../support/world.ts';

/*
 * One meeting with three cameras goes through three runners, each with another policy for individual video. So
 * one run shows every policy, what a reconnect does to its selection, and what another runner makes of a meeting
 * that it takes over: it has to find out by itself who is there and whose camera is on.
 */
const POLICIES = {
  'active-speaker': 'active-speaker',
  pinned: { pinned: ['Cy', ADA] },
  'round-robin': { 'round-robin': 1 },
} as const satisfies Record<string, VideoFollow>;
type PolicyName = keyof typeof POLICIES;
const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];

/** A runner takes no stream as long as its event loop is late, which a busy machine may see to. */
const CLAIM_TIMEOUT_MS = 40_000;

let world: World;
/** Policies of the owners so far, in the order of their epochs. */
const shown: PolicyName[] = [];
const policyOf = new Map<string, PolicyName>();

beforeAll(async () => {
  world = await startWorld({
    runners: POLICY_NAMES.length,
    runner: {
      entry: 'runner/main.ts',
      environment(taskId) {
        const given = [...policyOf.values()];
        // The fleet replaces a runner that has ended; whatever takes over then has something new to show.
        const policy =
          POLICY_NAMES.find((name) => !given.includes(name)) ??
          POLICY_NAMES.find((name) => !shown.includes(name)) ??
          'pinned';
        policyOf.set(taskId, policy);
        const video = { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', follow: POLICIES[policy] };
        return {
          RTMS_MEDIA: JSON.stringify({
            audio: false,
            video,
            deskshare: false,
            transcript: false,
            chat: false,
          }),
        };
      },
    },
  });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

test('every policy records whose turn it is, through reconnects and from runner to runner', {
  timeout: 120_000,
}, async () => {
  const rtmsStreamId = world.play(THREE_CAMERAS);
  const act = (action: Parameters<World['simulator']['act']>[1]) =>
    world.simulator.act(rtmsStreamId, action);
  const pictures = (epoch: number) =>
    [...world.framesOf(rtmsStreamId, epoch)].sort((a, b) => a.capturedAtMs - b.capturedAtMs);
  /** Waits for pictures of somebody that are taken from now on. */
  const shows = (epoch: number, userId: number) => {
    const fromMs = Date.now();
    const isNew = (frame: { userId: number | undefined; capturedAtMs: number }) =>
      frame.userId === userId && frame.capturedAtMs >= fromMs;
    return world.until(`pictures of ${NAMES.get(userId)} in epoch ${epoch}`, () =>
      world.framesOf(rtmsStreamId, epoch).some(isNew),
    );
  };
  const selections = (epoch: number) =>
    world
      .eventsOf(rtmsStreamId)
      .flatMap((event) =>
        event.name === 'video_selected' && event.epoch === epoch ? [event.data] : [],
      );
  const reconnects = async (
    epoch: number,
    scope: 'signaling' | 'video',
    userId: number | undefined,
  ) => {
    act(
      scope === 'signaling'
        ? { do: 'cut_signaling', how: 'close' }
        : { do: 'cut_media', mediaType: scope, how: 'close' },
    );
    await world.until(`reconnected ${scope}`, () =>
      world
        .eventsOf(rtmsStreamId)
        .some(
          (event) =>
            event.name === 'session_reconnected' &&
            event.epoch === epoch &&
            event.data.scope === scope,
        ),
    );
    if (userId !== undefined) await shows(epoch, userId);
  };
  const play: Readonly<Record<PolicyName, (epoch: number) => Promise<readonly number[]>>> = {
    async 'active-speaker'(epoch) {
      await shows(epoch, ADA);
      act({ do: 'active_speaker', userId: BEN });
      await shows(epoch, BEN);
      await reconnects(epoch, 'signaling', BEN);
      return [ADA, BEN];
    },
    async pinned(epoch) {
      await shows(epoch, CY);
      act({ do: 'video_off', userId: CY });
      await shows(epoch, ADA);
      await reconnects(epoch, 'video', ADA);
      act({ do: 'video_on', userId: CY });
      await shows(epoch, CY);
      return [CY, ADA, CY];
    },
    async 'round-robin'(epoch) {
      await Promise.all([ADA, BEN, CY].map((userId) => shows(epoch, userId)));
      await reconnects(epoch, 'video', undefined);
      await Promise.all([ADA, BEN, CY].map((userId) => shows(epoch, userId)));
      return [];
    },
  };

  // A late claim may go to a replacement that has the policy of the runner before: then one more takes over.
  for (let isLast = false; !isLast; ) {
    const epoch = shown.length + 1;
    const { taskId } = await world.log('claimed', { rtmsStreamId, epoch }, CLAIM_TIMEOUT_MS);
    const policy = policyOf.get(taskId) ?? expect.unreachable();
    shown.push(policy);
    isLast = new Set(shown).size === POLICY_NAMES.length;
    expect(epoch, shown.join()).toBeLessThanOrEqual(5);
    const order = await play[policy](epoch);
    if (!isLast) {
      process.kill(world.pid(taskId), 'SIGTERM');
      await world.event('session_taken_over', { rtmsStreamId, epoch: epoch + 1 }, CLAIM_TIMEOUT_MS);
    } else act({ do: 'stop', reason: 6 });
    const what = `${policy} in epoch ${epoch}`;
    await world.until(`${what} is over`, () =>
      world
        .eventsOf(rtmsStreamId)
        .some(
          (event) =>
            event.epoch === epoch &&
            (event.name === 'session_handed_over' || event.name === 'session_ended'),
        ),
    );
    const told = selections(epoch);
    expect(new Set(told.map(({ follow }) => follow)), what).toEqual(new Set([policy]));
    for (const { userId, userName } of told) {
      expect(userName, what).toBe(userId === undefined ? undefined : NAMES.get(userId));
    }
    // People that come one by one may have somebody selected first who was to be only the second choice.
    const people = told.map(({ userId }) => userId);
    if (order.length > 0) expect(people.slice(-order.length), what).toEqual(order);
  }
  const { sources } = await world.simulator.finished(rtmsStreamId);
  const sent = new Map(sources.map(({ userId, frames }) => [userId, frames]));
  await world.until('a complete ledger', () => world.ledger.report().ok);
  const read = new Map<number | undefined, number>();
  for (const { userId } of world.framesOf(rtmsStreamId)) {
    read.set(userId, (read.get(userId) ?? 0) + 1);
  }
  expect(read).toEqual(sent);
  expect([...read.keys()].sort()).toEqual([ADA, BEN, CY]);
  for (const epoch of shown.map((_, index) => index + 1)) {
    const shownOnes = pictures(epoch).map(({ userId }) => userId);
    const turns = shownOnes.filter((userId, index) => userId !== shownOnes[index - 1]);
    const told = selections(epoch).map(({ userId }) => userId);
    // The last one may have been chosen at the very end, before a picture was due.
    expect(told.slice(0, turns.length), shown[epoch - 1]).toEqual(turns);
    expect(told.length - turns.length, shown[epoch - 1]).toBeLessThanOrEqual(1);
  }
  expect(world.late).toEqual([]);
  expect(world.bad).toEqual([]);
});
