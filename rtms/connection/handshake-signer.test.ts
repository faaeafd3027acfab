import { expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { answer, startScriptedZoom } from '../../test/support/rtms/scripted-zoom.ts';
import {
  EventLog,
  QUICK,
  simulate,
  simulateJoined,
} from '../../test/support/rtms/simulated-client.ts';
import { RtmsClient } from '../client.ts';
import { HandshakeSigner } from './handshake-signer.ts';

const { clientId, clientSecret } = EXAMPLE_APP;
const OLD = { clientId, clientSecret: 'old' };
const ROTATED = { clientId, clientSecret: 'regenerated' };

/** Credentials as a secret store holds them. */
const storeOf = (credentials: { clientId: string; clientSecret: string }) => {
  const store = { credentials, reads: 0 };
  const renewCredentials = async () => {
    store.reads += 1;
    return store.credentials;
  };
  return { store, renewCredentials };
};

test.each(['status', 'close'] as const)(
  'a join with a secret that was rotated meanwhile succeeds (Zoom answers by %s)',
  async (badSignature) => {
    const { renewCredentials } = storeOf({ clientId, clientSecret });
    await using it = await simulate({
      behaviour: { badSignature },
      client: { renewCredentials },
    });
    it.client.join({ ...it.join, clientId, clientSecret: 'replace-me' });
    await it.log.next('joined');
    expect(it.client.state).toBe('streaming');
  },
);

test.each([
  ['audio', { do: 'cut_media', mediaType: 'audio', how: 'terminate' }],
  ['signaling', { do: 'cut_signaling', how: 'terminate' }],
] as const)('a rotation between the join and a loss of %s costs nothing', async (scope, loss) => {
  const { renewCredentials } = storeOf(ROTATED);
  await using it = await simulateJoined({ client: { renewCredentials } });
  it.simulator.rotate(ROTATED);
  it.act(loss);
  expect(await it.log.next('reconnected')).toMatchObject({ scope });
  await it.flow();
  expect(it.log.of('ended')).toEqual([]);
});

test('a wrong secret costs one handshake and ends as refused when the window closes', async () => {
  const { store, renewCredentials } = storeOf({ clientId, clientSecret: 'wrong' });
  await using zoom = await startScriptedZoom((_path, message, socket) => {
    if (message.msg_type !== 1) return;
    answer(socket, 2, 3);
    socket.close();
  });
  const client = new RtmsClient({ ...QUICK, renewCredentials, signalingWindowMs: 150 });
  const log = new EventLog(client);
  client.join({
    product: 'meeting',
    entityId: 'm==',
    rtmsStreamId: 's',
    serverUrls: [zoom.url],
    ...store.credentials,
  });
  expect(await log.next('ended')).toEqual({ cause: 'refused', status: 3, restartable: false });
  expect(zoom.received.filter(({ message }) => message.msg_type === 1)).toHaveLength(1);
  expect(store.reads).toBe(1);
});

test('waits for a secret that is corrected later, whatever fails meanwhile', async () => {
  const answers = [
    () => Promise.reject(new Error('Secrets Manager is away')),
    () => Promise.resolve({ clientId, clientSecret: 'old' }),
    () => Promise.resolve(ROTATED),
  ];
  const warn = vi.fn();
  const signer = new HandshakeSigner(
    { product: 'meeting', entityId: 'm', rtmsStreamId: 's', serverUrls: [], ...OLD },
    () => (answers.shift() as () => Promise<typeof ROTATED>)(),
    { ...SILENT_LOGGER, warn },
    1,
  );
  const refused = signer.signature;
  expect(await signer.renewed(refused, new AbortController().signal)).toBe(true);
  expect(signer.signature).not.toBe(refused);
  expect(answers).toEqual([]);
  expect(warn).toHaveBeenCalledOnce();
});

test('another connection of the same client uses a renewed signature without asking again', async () => {
  const { store, renewCredentials } = storeOf(ROTATED);
  const signer = new HandshakeSigner(
    { product: 'meeting', entityId: 'm', rtmsStreamId: 's', serverUrls: [], ...OLD },
    renewCredentials,
    SILENT_LOGGER,
  );
  const refused = signer.signature;
  const { signal } = new AbortController();
  expect(await signer.renewed(refused, signal)).toBe(true);
  expect(await signer.renewed(refused, signal)).toBe(true);
  expect(store.reads).toBe(1);
});

test('stops waiting when the connection is closed', async () => {
  const { renewCredentials } = storeOf(OLD);
  const signer = new HandshakeSigner(
    { product: 'meeting', entityId: 'm', rtmsStreamId: 's', serverUrls: [], ...OLD },
    renewCredentials,
    SILENT_LOGGER,
  );
  const closing = new AbortController();
  const renewed = signer.renewed(signer.signature, closing.signal);
  closing.abort();
  expect(await renewed).toBe(false);
});
