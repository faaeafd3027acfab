import { expect, test } from 'vitest';
import { drawForms } from '../simulator/scenario/forms.ts';
import { ADA, BEN, MEETING, simulate } from '../test/support/rtms/simulated-client.ts';
import { DEFAULT_MEDIA_REQUEST } from './protocol/params.ts';

const WITH_CAMERAS = (MEETING.participants ?? []).map((participant) => ({
  ...participant,
  video: {
    kind: 'synthetic',
    fps: 25,
    frameBytes: 400,
    keyFrameBytes: 900,
    keyEvery: 25,
  } as const,
}));

/** In whatever form Zoom says it, the same meeting comes of it. */
test.concurrent.each(Array.from({ length: 12 }, (_, seed) => String(seed)))(
  'a meeting in the forms of seed %s is the same meeting',
  async (seed) => {
    await using it = await simulate({
      scenario: { participants: WITH_CAMERAS },
      behaviour: drawForms(seed),
      client: { media: DEFAULT_MEDIA_REQUEST, mediaWaitMs: 15_000 },
    });
    it.client.join(it.join);
    const media = await it.log.next('joined');
    expect(Object.keys(media)).toEqual(['audio', 'video', 'deskshare', 'transcript', 'chat']);
    await it.flow();
    it.act({ do: 'transcript', userId: ADA.userId, text: 'one line' });
    it.act({ do: 'chat', userId: BEN.userId, text: 'one message' });
    it.act({ do: 'active_speaker', userId: BEN.userId });
    it.clock.advance(200);
    expect(await it.log.next('transcript')).toMatchObject({ ...ADA, text: 'one line' });
    expect(await it.log.next('chat')).toMatchObject({ sender: BEN, text: 'one message' });
    await it.log.until(() => it.log.of('event').some(({ name }) => name === 'active_speaker'));
    const people = it.log
      .of('event')
      .flatMap((event) => (event.name === 'participant_joined' ? event.participants : []));
    expect(people).toEqual([ADA, BEN]);
    await it.log.until(() => it.log.of('frame').some((frame) => frame.mediaType === 'video'));
    for (const frame of it.log.of('frame')) {
      expect([ADA.userId, BEN.userId]).toContain(frame.userId);
      expect(frame.codec).toBeGreaterThan(0);
    }
    expect(it.log.of('malformed')).toEqual([]);
    expect(it.log.of('other')).toEqual([]);
  },
);

/** An id, a time or an entry that nobody can read costs only itself: every payload, line and event arrives. */
test.concurrent.each(Array.from({ length: 12 }, (_, seed) => String(seed)))(
  'nothing but names of people and times is missing in the lossy forms of seed %s',
  async (seed) => {
    await using it = await simulate({
      scenario: { participants: WITH_CAMERAS },
      behaviour: drawForms(seed, 'nameless'),
      client: { media: DEFAULT_MEDIA_REQUEST, mediaWaitMs: 15_000 },
    });
    it.client.join(it.join);
    await it.log.next('joined');
    await it.flow();
    it.act({ do: 'transcript', userId: ADA.userId, text: 'one line' });
    it.act({ do: 'chat', userId: BEN.userId, text: 'one message' });
    it.act({ do: 'leave', userId: BEN.userId });
    const frames = await it.play(200);
    expect(new Set(frames.map(({ mediaType }) => mediaType))).toEqual(new Set(['audio', 'video']));
    expect(frames.every(({ codec, payload }) => codec > 0 && payload.length > 0)).toBe(true);
    expect(await it.log.next('transcript')).toMatchObject({ text: 'one line' });
    expect(await it.log.next('chat')).toMatchObject({ text: 'one message' });
    await it.log.until(() => it.log.of('event').some(({ name }) => name === 'participant_left'));
    await it.log.until(() => it.log.of('sessionState').length + it.log.of('other').length > 0);
    expect(it.log.of('malformed')).toEqual([]);
    it.act({ do: 'stop', reason: 6 });
    expect(await it.ended()).toMatchObject({ cause: 'stopped', stopReason: 6 });
  },
);
