import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { WebSocket } from 'ws';
import { joinScripted } from '../../test/support/rtms/scripted-client.ts';
import {
  accept,
  answer,
  type Script,
  sayHello,
  startScriptedZoom,
} from '../../test/support/rtms/scripted-zoom.ts';
import { selfSigned } from '../../test/support/rtms/self-signed.ts';
import { EventLog, QUICK } from '../../test/support/rtms/simulated-client.ts';
import { waitFor } from '../../test/support/wait.ts';
import { RtmsClient } from '../client.ts';
import type { MediaType } from '../protocol/media-type.ts';
import { completeMediaRequest } from '../protocol/params.ts';
import { MAX_MESSAGE_BYTES } from '../wire/socket.ts';
import type { RtmsClientOptions } from './options.ts';
import { mediaTypeOfStatus, statusVerdict } from './verdict.ts';

const IDS = {
  product: 'meeting',
  entityId: '4444AAAiAAAAAiAiAiiAii==',
  rtmsStreamId: '609340fb2a7946909659956c8aa9250c',
  clientId: 'abcDEF123clientid',
  clientSecret: 'rtmsExampleClientSecret',
} as const;
const SIGNATURE = '72a9a565e1f7cfe4654274fc4ed5ba500794beb9a001944b06890b5f1f734dd1';
const OFF = { audio: false, video: false, deskshare: false, transcript: false, chat: false };
const AUDIO = { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO' };
const AUDIO_AND_CHAT = completeMediaRequest({ ...OFF, audio: AUDIO, chat: {} });

function joinSigned(script: Script, options: Partial<RtmsClientOptions> = {}) {
  return joinScripted(script, options, undefined, IDS);
}

/** Answers the first handshake of this path with a status, every other as it should be. */
function statusFirst(path: string, status: number, offered: readonly MediaType[]): Script {
  let isFirst = true;
  return (at, message, socket) => {
    const refused = isFirst && at === path;
    if (refused) isFirst = false;
    if (message.msg_type === 1) {
      if (refused && status !== 0) answer(socket, 2, status);
      else sayHello(socket, offered);
    }
    if (message.msg_type === 3) answer(socket, 4, refused ? status : 0);
  };
}

const STATUSES = [...Array.from({ length: 48 }, (_, status) => status), 75];

describe('on the wire', () => {
  test('speaks the documented handshakes, subscriptions and ready', async () => {
    await using it = await joinSigned(accept(['audio', 'chat']), { media: AUDIO_AND_CHAT });
    await it.log.next('joined');
    const ready = () => it.zoom.received.filter(({ message }) => message.msg_type === 7);
    while (ready().length === 0) await new Promise(setImmediate);
    const said = (path: string) =>
      it.zoom.received.filter((entry) => entry.path === path).map(({ message }) => message);
    const subscription = (...types: number[]) => ({
      msg_type: 5,
      events: types.map((event_type) => ({ event_type, subscribe: true })),
    });
    expect(said('signaling')).toEqual([
      {
        msg_type: 1,
        protocol_version: 1,
        sequence: 1,
        meeting_uuid: IDS.entityId,
        rtms_stream_id: IDS.rtmsStreamId,
        signature: SIGNATURE,
        buffer_data: true,
      },
      subscription(2, 3, 4),
      subscription(5, 6),
      subscription(8, 9),
      subscription(10, 11, 12, 13, 14),
      { msg_type: 7, rtms_stream_id: IDS.rtmsStreamId },
    ]);
    expect(said('audio')).toEqual([
      {
        msg_type: 3,
        protocol_version: 1,
        sequence: 0,
        meeting_uuid: IDS.entityId,
        rtms_stream_id: IDS.rtmsStreamId,
        signature: SIGNATURE,
        media_type: 1,
        payload_encryption: false,
        media_params: {
          audio: {
            content_type: 2,
            codec: 1,
            sample_rate: 1,
            channel: 1,
            data_opt: 2,
            send_rate: 20,
          },
        },
      },
    ]);
  });
});

describe('signaling answers', () => {
  test.each(STATUSES)('status %i', async (status) => {
    await using it = await joinSigned(statusFirst('signaling', status, ['audio']));
    const verdict = statusVerdict(status, 1);
    if (verdict === 'refused' || verdict === 'fatal') {
      expect(await it.log.next('ended')).toEqual({ cause: 'refused', status, restartable: false });
      expect(it.log.names()).not.toContain('joined');
    } else {
      await it.log.next('joined');
      const hellos = it.zoom.received.filter(({ message }) => message.msg_type === 1);
      expect(hellos).toHaveLength(status === 0 ? 1 : 2);
    }
  });

  test('that call the connection a duplicate in words only lead to another attempt', async () => {
    let tries = 0;
    const script: Script = (path, message, socket) => {
      if (message.msg_type === 1 && ++tries === 1) {
        const reason = 'Duplicate signal request';
        socket.send(JSON.stringify({ msg_type: 2, status_code: 17, reason }));
      } else accept(['audio'])(path, message, socket);
    };
    await using it = await joinSigned(script);
    await it.log.next('joined');
  });

  test('that never come time out, attempt after attempt', async () => {
    await using it = await joinSigned(() => {}, { handshakeTimeoutMs: 20 });
    await waitFor(() => expect(it.zoom.received.length).toBeGreaterThan(1));
  });

  test('that never come end the session when the window is over', async () => {
    const times = { handshakeTimeoutMs: 20, signalingWindowMs: 150 };
    await using it = await joinSigned(() => {}, times);
    expect(await it.log.next('ended')).toEqual({ cause: 'lost', restartable: true });
  });

  test('that are malformed are told, and the attempt times out', async () => {
    let tries = 0;
    const script: Script = (path, message, socket) => {
      if (path === 'signaling' && ++tries === 1) socket.send('{"msg_type":2');
      else accept(['audio'])(path, message, socket);
    };
    await using it = await joinSigned(script, { handshakeTimeoutMs: 20 });
    await it.log.next('joined');
    expect(it.log.of('malformed')).toMatchObject([{ scope: 'signaling' }]);
  });

  test.each(['{"msg_type":2}', '{"msg_type":2,"status_code":"whatever"}'])(
    'without status or address are asked for again: %s',
    async (text) => {
      let tries = 0;
      const script: Script = (path, message, socket) => {
        if (message.msg_type === 1 && ++tries <= 2) socket.send(text);
        else accept(['audio'])(path, message, socket);
      };
      await using it = await joinSigned(script);
      await it.log.next('joined');
      expect(tries).toBe(3);
    },
  );

  test('that are a bare close lead to another attempt: Zoom may need a moment', async () => {
    let tries = 0;
    const script: Script = (path, message, socket) => {
      if (path === 'signaling' && ++tries <= 12) socket.close(1000);
      else accept(['audio'])(path, message, socket);
    };
    await using it = await joinSigned(script);
    await it.log.next('joined');
    expect(it.log.names().filter((name) => name !== 'state')).toEqual(['joined']);
  });

  test('that are a bare close until the window ends make the client end as lost', async () => {
    await using it = await joinSigned((_path, _message, socket) => socket.close(1000), {
      signalingWindowMs: 500,
    });
    expect(await it.log.next('ended')).toEqual({ cause: 'lost', restartable: true });
    expect(it.zoom.received.length).toBeGreaterThan(4);
  });
});

describe('media answers', () => {
  test.each(STATUSES)('status %i', async (status) => {
    await using it = await joinSigned(statusFirst('audio', status, ['audio', 'chat']), {
      media: AUDIO_AND_CHAT,
    });
    const verdict = statusVerdict(status, 1);
    if (verdict === 'fatal') {
      expect(await it.log.next('ended')).toEqual({ cause: 'refused', status, restartable: false });
      return;
    }
    const media = await it.log.next('joined');
    expect(Object.keys(media as object)).toEqual(
      verdict === 'refused' ? ['chat'] : ['audio', 'chat'],
    );
  });

  test.each(STATUSES.filter((status) => mediaTypeOfStatus(status) === 'chat'))(
    'status %i on a unified socket costs chat, not audio',
    async (status) => {
      let tries = 0;
      const script: Script = (_path, message, socket) => {
        if (message.msg_type === 1) sayHello(socket, ['all']);
        if (message.msg_type === 3) answer(socket, 4, ++tries === 1 ? status : 0);
      };
      await using it = await joinSigned(script, { media: AUDIO_AND_CHAT, layout: 'unified' });
      const media = await it.log.next('joined');
      const isRetried = statusVerdict(status, 1) === 'retry';
      expect(Object.keys(media as object)).toEqual(isRetried ? ['audio', 'chat'] : ['audio']);
      const asked = it.zoom.received.filter(({ message }) => message.msg_type === 3);
      expect(asked.map(({ message }) => message['media_type'])).toEqual([17, isRetried ? 17 : 1]);
    },
  );

  test('that refuse everything end the client', async () => {
    await using it = await joinSigned(statusFirst('audio', 9, ['audio']));
    expect(await it.log.next('ended')).toEqual({ cause: 'refused', status: 9, restartable: false });
  });

  test('that are slow delay the other media only by `mediaWaitMs`', async () => {
    let isSlow = true;
    const script: Script = (path, message, socket) => {
      if (path !== 'chat' || !isSlow) accept(['audio', 'chat'])(path, message, socket);
    };
    await using it = await joinSigned(script, { media: AUDIO_AND_CHAT, mediaWaitMs: 30 });
    expect(Object.keys((await it.log.next('joined')) as object)).toEqual(['audio']);
    expect(await it.log.next('interrupted')).toMatchObject({ scope: 'chat' });
    isSlow = false;
    for (const socket of it.zoom.sockets('chat')) socket.close();
    const reconnected = await it.log.next('reconnected');
    expect(reconnected).toMatchObject({ scope: 'chat', attempt: 2 });
    expect(Object.keys(reconnected.media)).toEqual(['audio', 'chat']);
  });
});

describe('media connections', () => {
  test('go on trying beyond their window while another one is up', async () => {
    // The window also bounds the first connections, so it is longer than a busy machine takes for them.
    const mediaWindowMs = 1_000;
    let isGone = false;
    const script: Script = (path, message, socket) => {
      if (path === 'chat' && isGone) socket.terminate();
      else accept(['audio', 'chat'])(path, message, socket);
    };
    await using it = await joinSigned(script, { media: AUDIO_AND_CHAT, mediaWindowMs });
    await it.log.next('joined');
    isGone = true;
    for (const socket of it.zoom.sockets('chat')) socket.terminate();
    await it.log.next('interrupted');
    const windowEndsMs = performance.now() + mediaWindowMs;
    const tries = () => it.zoom.received.filter(({ path }) => path === 'chat').length;
    while (performance.now() < windowEndsMs) await new Promise(setImmediate);
    const before = tries();
    while (tries() < before + 2) await new Promise(setImmediate);
    expect(it.client.state).toBe('streaming');
  });

  test('end the client as lost when the window of the last one has passed', async () => {
    let isGone = false;
    const script: Script = (path, message, socket) => {
      if (path === 'audio' && isGone) socket.terminate();
      else accept(['audio'])(path, message, socket);
    };
    await using it = await joinSigned(script, { mediaWindowMs: 1_000 });
    await it.log.next('joined');
    isGone = true;
    for (const socket of it.zoom.sockets('audio')) socket.terminate();
    expect(await it.log.next('ended')).toEqual({ cause: 'lost', restartable: true });
    expect(it.log.of('interrupted')).toEqual([{ scope: 'audio', cause: 'connection_closed' }]);
  });

  test('are not redialled on a notice that is about a loss of our own', async () => {
    await using it = await joinSigned(accept(['audio', 'chat']), { media: AUDIO_AND_CHAT });
    await it.log.next('joined');
    for (const socket of it.zoom.sockets('audio')) socket.terminate();
    it.zoom.send('signaling', { msg_type: 6, event: { event_type: 7, timestamp: 1 } });
    it.zoom.send('signaling', { msg_type: 8, state: 2, reason: 14, timestamp: 1 });
    await it.log.next('reconnected');
    expect(it.log.of('interrupted')).toEqual([{ scope: 'audio', cause: 'connection_closed' }]);
  });
});

describe('a notice of Zoom', () => {
  const EVENT_7 = { msg_type: 6, event: { event_type: 7, timestamp: 1 } };

  test.each([
    ['event 7', EVENT_7],
    ['state 2 for media', { msg_type: 8, state: 2, reason: 14, timestamp: 1 }],
    ['state 2 for no reason', { msg_type: 8, state: 2, timestamp: 1 }],
  ])('by %s: redoes only the socket that nothing comes on', async (_title, notice) => {
    let nowMs = 0;
    await using it = await joinSigned(accept(['audio', 'chat']), {
      media: AUDIO_AND_CHAT,
      noticeMs: 300,
      // No two things happen at one time.
      clock: () => ++nowMs,
    });
    await it.log.next('joined');
    it.zoom.send('signaling', notice);
    it.zoom.send('signaling', EVENT_7);
    await it.log.next('event');
    it.zoom.send('chat', { msg_type: 12, timestamp: 5 });
    await it.log.next('reconnected');
    expect(it.log.of('interrupted')).toEqual([
      {
        scope: 'audio',
        cause: 'media_connection_interrupted',
        durationMs: expect.any(Number),
      },
    ]);
    const hellos = it.zoom.received.filter(({ message }) => message.msg_type === 3);
    expect(hellos.map(({ path }) => path).sort()).toEqual(['audio', 'audio', 'chat']);
  });

  test.each(['reason', 'stop_reason'])(
    'by state 2 with 13 in `%s`: redoes everything, though signaling lives',
    async (field) => {
      await using it = await joinSigned(accept(['audio']));
      await it.log.next('joined');
      it.zoom.send('signaling', { msg_type: 8, state: 2, [field]: 13, timestamp: 1 });
      expect(await it.log.next('reconnected')).toMatchObject({
        scope: 'signaling',
        cause: 'signal_connection_interrupted',
      });
      const hellos = it.zoom.received.filter(({ message }) => message.msg_type === 1);
      expect(hellos).toHaveLength(2);
    },
  );
});

describe('the end', () => {
  test('comes with the connection when Zoom announced it before', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    it.zoom.send('signaling', { msg_type: 8, state: 3, reason: 6, timestamp: 1 });
    for (const socket of it.zoom.sockets('signaling')) socket.close(1000);
    expect(await it.log.next('ended')).toEqual({
      cause: 'stopped',
      stopReason: 6,
      restartable: false,
    });
  });

  test('has the announced reason when the last message has none', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    it.zoom.send('signaling', { msg_type: 8, state: 3, reason: 10, timestamp: 1 });
    it.zoom.send('signaling', { msg_type: 8, state: 4, timestamp: 1 });
    expect(await it.log.next('ended')).toMatchObject({ stopReason: 10, restartable: true });
  });

  test('does not wait for a server that never answers a stream close', async () => {
    await using it = await joinSigned(accept(['audio']), { closeTimeoutMs: 30 });
    await it.log.next('joined');
    for (const socket of it.zoom.sockets('audio')) socket.pause();
    for (const socket of it.zoom.sockets('signaling')) socket.pause();
    await it.client.leave({ closeStream: true });
    expect(it.log.of('ended')).toEqual([{ cause: 'closed', restartable: false }]);
  });

  test('comes as soon as Zoom answers the stream close', async () => {
    const script: Script = (path, message, socket) => {
      if (message.msg_type === 21) socket.send('{"msg_type":22,"status_code":0}');
      else accept(['audio'])(path, message, socket);
    };
    await using it = await joinSigned(script, { closeTimeoutMs: 5_000 });
    await it.log.next('joined');
    await it.client.leave({ closeStream: true });
  });
});

describe('a server that asks and does not read the answers', () => {
  /** 1,000 keep-alives as they stand on the wire, with the longest timestamp that is repeated. */
  const text = Buffer.from(`{"msg_type":12,"timestamp":"${'9'.repeat(30)}"}`);
  const asked = Buffer.concat(
    Array(1_000)
      .fill([Buffer.from([0x81, text.length]), text])
      .flat(),
  );

  test('has its connection cut', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    const [server] = it.zoom.sockets('audio') as (WebSocket & { _socket: Socket })[];
    if (server === undefined) throw new Error('no audio socket');
    const { _socket: socket } = server;
    server.pause();
    const interrupted = it.log.next('interrupted');
    while (it.log.of('interrupted').length === 0) {
      // The client's end resets the connection, which may be the first that this side hears of it.
      const drained = socket.write(asked) || once(socket, 'drain').catch(() => {});
      await Promise.race([drained, interrupted]);
      await new Promise(setImmediate);
    }
    expect(it.log.of('interrupted')).toEqual([{ scope: 'audio', cause: 'not_reading' }]);
    await it.log.next('reconnected');
  });
});

describe('what no server should send', () => {
  test.each([
    ['cut JSON', '{"msg_type":14,"content":{"data":"AA', { mediaType: 'audio' }],
    ['no JSON at all', 'hello', { mediaType: 'audio' }],
    [
      'a payload shorter than it says',
      '{"msg_type":14,"content":{"user_id":7,"data":"AAAA","length":9,"timestamp":1}}',
      { mediaType: 'audio', userId: 7 },
    ],
    [
      'a channel without data',
      '{"msg_type":14,"content":{"channel_id":"c"}}',
      { mediaType: 'audio', channelId: 'c' },
    ],
    ['another type, cut', '{"msg_type":17,"content":{"da', { mediaType: 'transcript' }],
  ])('%s spoils one message', async (_title, text, expected) => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    it.zoom.send('audio', text);
    it.zoom.send('audio', { msg_type: 14, content: { user_id: 7, data: 'AAAA', timestamp: 1 } });
    await it.log.next('frame');
    const [malformed] = it.log.of('malformed');
    expect(malformed).toMatchObject({ scope: expected.mediaType, ...expected });
    expect(malformed?.error).toMatchObject({ code: 'rtms/malformed-message' });
    expect(it.client.state).toBe('streaming');
  });

  test('broken UTF-8: one message is lost', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    for (const socket of it.zoom.sockets('audio')) {
      socket.send(Buffer.from('{"msg_type":14,"content":{"\xff\xfe', 'latin1'), { binary: false });
    }
    await it.log.next('malformed');
    expect(it.client.state).toBe('streaming');
    expect(it.log.of('interrupted')).toEqual([]);
  });

  test('on a unified socket: the loss has no media type if the message tells none', async () => {
    await using it = await joinSigned(accept(['all']), {
      media: AUDIO_AND_CHAT,
      layout: 'unified',
    });
    await it.log.next('joined');
    it.zoom.send('all', '{');
    expect(await it.log.next('malformed')).not.toHaveProperty('mediaType');
  });

  test('a message that is too large: the socket is redialled, the session goes on', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    it.zoom.send('audio', 'x'.repeat(MAX_MESSAGE_BYTES + 1));
    expect((await it.log.next('malformed')).error).toMatchObject({
      code: 'rtms/message-too-large',
    });
    expect(await it.log.next('reconnected')).toMatchObject({
      scope: 'audio',
      cause: 'message_too_large',
    });
  });

  test('a message as large as the limit allows is read', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    const head = '{"msg_type":14,"content":{"user_id":7,"timestamp":1,"data":"';
    const size = MAX_MESSAGE_BYTES - head.length - 3;
    it.zoom.send('audio', `${head}${'A'.repeat(size - (size % 4))}"}}`);
    expect((await it.log.next('frame')).payload.length).toBeGreaterThan(6_000_000);
  });

  test('bytes that are no WebSocket frame: the socket is redialled, the session goes on', async () => {
    await using it = await joinSigned(accept(['audio']));
    await it.log.next('joined');
    for (const socket of it.zoom.sockets('audio')) {
      (socket as unknown as { _socket: { write(data: Buffer): void } })._socket.write(
        Buffer.from('ffffffffffffffff', 'hex'),
      );
    }
    expect(await it.log.next('reconnected')).toMatchObject({ cause: 'protocol_error' });
  });
});

describe('dialling', () => {
  test.each(['ws://127.0.0.1:1/', 'not an address', 'ws://[', 'ftp://127.0.0.1/'])(
    '%s fails inside the window',
    async (url) => {
      const client = new RtmsClient({ ...QUICK, signalingWindowMs: 40 });
      const log = new EventLog(client);
      client.join({ ...IDS, serverUrls: [url] });
      expect(await log.next('ended')).toEqual({ cause: 'lost', restartable: true });
    },
  );

  test('ends an attempt at a server that accepts the connection and never answers', async () => {
    const server = createServer();
    server.on('upgrade', () => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const client = new RtmsClient({ ...QUICK, connectTimeoutMs: 20, signalingWindowMs: 80 });
    const log = new EventLog(client);
    const { port } = server.address() as AddressInfo;
    client.join({ ...IDS, serverUrls: [`ws://127.0.0.1:${port}`] });
    expect(await log.next('ended')).toEqual({ cause: 'lost', restartable: true });
    server.closeAllConnections();
    server.close();
  });

  test('verifies TLS, and trusts the certificates of the option `ca`', async () => {
    const tls = selfSigned();
    await using zoom = await startScriptedZoom(accept(['audio']), tls);
    const serverUrls = [`${zoom.url}/signaling`];
    const wary = new RtmsClient({ ...QUICK, signalingWindowMs: 60 });
    const waryLog = new EventLog(wary);
    wary.join({ ...IDS, serverUrls });
    expect(await waryLog.next('ended')).toEqual({ cause: 'lost', restartable: true });
    expect(zoom.received).toEqual([]);
    const client = new RtmsClient({ ...QUICK, ca: tls.cert });
    const log = new EventLog(client);
    client.join({ ...IDS, serverUrls });
    await log.next('joined');
    await client.leave();
  });

  test('goes through the proxy of the option `proxyUrl`', async () => {
    const targets: (string | undefined)[] = [];
    const proxy = createServer().on('connect', ({ url }, socket, head) => {
      targets.push(url);
      const target = new URL(`http://${url}`);
      const upstream = connect(Number(target.port), target.hostname, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    await using it = await joinSigned(accept(['audio']), {
      proxyUrl: `http://127.0.0.1:${port}`,
    });
    await it.log.next('joined');
    expect(targets).toEqual([new URL(it.zoom.url).host, new URL(it.zoom.url).host]);
    await it.client.leave();
    proxy.close();
  });
});
