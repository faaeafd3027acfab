import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { CREDENTIALS, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000 });
/** As the first deployment writes them (infra/webhook/zoom-secret.ts). */
const PLACEHOLDER = {
  clientId: 'replace-me',
  clientSecret: 'replace-me',
  webhookSecretTokens: ['replace-me-0000'],
};

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 1, credentials: PLACEHOLDER, missing: 'nameless' });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

async function fillIn(changed: { clientSecret?: string } = {}): Promise<void> {
  const { secrets, secretId } = world.stack.aws;
  await secrets.put(
    secretId,
    JSON.stringify({ apps: { default: { ...CREDENTIALS, ...changed } } }),
  );
}

const refusals = (rtmsStreamId: string) =>
  world.logs.filter(
    (line) => line.event === 'signature_refused' && line.rtmsStreamId === rtmsStreamId,
  ).length;

test('the first meeting after the secret was filled in is recorded', async () => {
  await fillIn();
  const rtmsStreamId = world.play(MEETING);
  await world.flowing(rtmsStreamId, 1);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId });
});

test('a client secret that is regenerated in mid-meeting costs neither signaling nor media', async () => {
  const rtmsStreamId = world.play(MEETING);
  await world.flowing(rtmsStreamId, 1);
  const rotated = { clientSecret: 'regenerated' };
  world.simulator.rotate(rotated);
  await fillIn(rotated);
  world.simulator.act(rtmsStreamId, { do: 'cut_media', mediaType: 'audio', how: 'terminate' });
  const media = await world.event('session_reconnected', { rtmsStreamId });
  expect(media.data).toMatchObject({ scope: 'audio' });
  world.simulator.act(rtmsStreamId, { do: 'cut_signaling', how: 'terminate' });
  await world.until('signaling back', () =>
    world
      .eventsOf(rtmsStreamId)
      .some(({ name, data }) => name === 'session_reconnected' && data['scope'] === 'signaling'),
  );
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const { data } = await world.event('session_ended', { rtmsStreamId });
  expect(data).toMatchObject({ stopReason: 6 });
});

test('a meeting that starts before the new client secret is stored waits for it, with one handshake', async () => {
  const rotated = { clientSecret: 'regenerated once more' };
  world.simulator.rotate(rotated);
  const rtmsStreamId = world.play(MEETING);
  await world.log('signature_refused', { rtmsStreamId });
  await fillIn(rotated);
  await world.flowing(rtmsStreamId, 1, 20_000);
  expect(refusals(rtmsStreamId)).toBe(1);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId });
});
