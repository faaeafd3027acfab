import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { LeanWire } from './lean-wire.ts';
import type { Wire, WireHandlers } from './wire.ts';
import { WsWire } from './ws-wire.ts';

const WIRES = [
  ['lean', LeanWire],
  ['ws', WsWire],
] as const;

type AnyWire = (typeof WIRES)[number][1];

const servers: { close(done?: () => void): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** What a wire told, in order, and a way to wait for it. */
function log() {
  const told: unknown[] = [];
  const wake = new Set<() => void>();
  const tell = (...what: unknown[]) => {
    told.push(what);
    for (const look of wake) look();
  };
  const handlers: WireHandlers = {
    opened: () => tell('opened'),
    message: (data) => tell('message', data.toString()),
    trouble: (trouble) => tell('trouble', trouble),
    closed: (closeCode) => tell('closed', closeCode),
  };
  const until = (name: string): Promise<unknown> =>
    new Promise((resolve) => {
      const look = () => {
        if (told.some((what) => (what as unknown[])[0] === name)) resolve(undefined);
      };
      wake.add(look);
      look();
    });
  return { told, handlers, until };
}

function dial(Wire: AnyWire, url: string, connectTimeoutMs = 5_000) {
  const { told, handlers, until } = log();
  const options = { connectTimeoutMs, maxMessageBytes: 1_000, rest: { maxMs: 0, heldMs: 0 } };
  const wire: Wire = new Wire(url, options, handlers);
  return { wire, told, until };
}

async function listen(server: Server): Promise<string> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
}

/** A server that speaks WebSocket by `ws`, which checks what our client sends. */
async function serve(onSocket: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  servers.push(server);
  server.on('connection', onSocket);
  await once(server, 'listening');
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/path`;
}

/** A server that takes any request and answers with bytes. */
function answerWith(...bytes: (string | Buffer)[]): Promise<string> {
  return listen(
    createServer((socket: Socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        for (const piece of bytes) socket.write(piece);
      });
    }),
  );
}

describe.each(WIRES)('%s', (_name, Wire) => {
  test('sends and receives texts of any length', async () => {
    const url = await serve((socket) => socket.on('message', (data) => socket.send(String(data))));
    const { wire, told, until } = dial(Wire, url);
    expect(wire.state).toBe('connecting');
    await until('opened');
    expect(wire.state).toBe('open');
    for (const size of [0, 1, 125, 126, 1_000]) wire.send('é'.repeat(size >> 1));
    wire.send('last');
    while (told.length < 7) await new Promise(setImmediate);
    expect(told.map((what) => String((what as unknown[])[1] ?? '').length)).toEqual([
      0, 0, 0, 62, 63, 500, 4,
    ]);
    wire.terminate();
    await until('closed');
    expect(told.at(-1)).toEqual(['closed', 1006]);
    expect(wire.state).toBe('closed');
  });

  test('answers the last of many pings that come at once, and closes after it', async () => {
    const pongs: string[] = [];
    const closed = Promise.withResolvers<number>();
    const url = await serve((socket) => {
      socket.on('pong', (payload) => pongs.push(payload.toString()));
      socket.on('close', (code) => closed.resolve(code));
      for (let index = 1; index <= 100; index += 1) socket.ping(`payload ${index}`);
      socket.close(1001);
    });
    const { until } = dial(Wire, url);
    await until('closed');
    await closed.promise;
    expect(pongs.at(-1)).toBe('payload 100');
  });

  test('answers a ping with its payload', async () => {
    const pong = Promise.withResolvers<Buffer>();
    const url = await serve((socket) => {
      socket.on('pong', pong.resolve);
      socket.ping('payload');
    });
    const { wire } = dial(Wire, url);
    expect(String(await pong.promise)).toBe('payload');
    wire.terminate();
  });

  test('answers a ping before the message that it came before', async () => {
    const heard: string[] = [];
    const answered = Promise.withResolvers<void>();
    const url = await serve((socket) => {
      socket.on('pong', (payload) => heard.push(`pong ${payload}`));
      socket.on('message', (text) => {
        heard.push(String(text));
        answered.resolve();
      });
      socket.send('in ', { fin: false });
      socket.ping('between');
      socket.send('pieces', { fin: true });
    });
    const { handlers } = log();
    const options = { connectTimeoutMs: 5_000, maxMessageBytes: 1_000 };
    const wire: Wire = new Wire(
      url,
      { ...options, rest: { maxMs: 0, heldMs: 0 } },
      {
        ...handlers,
        message: (data) => wire.send(`read ${data}`),
      },
    );
    await answered.promise;
    expect(heard).toEqual(['pong between', 'read in pieces']);
    wire.terminate();
  });

  test('closes, and delivers what comes before the other side’s close frame', async () => {
    const code = Promise.withResolvers<number>();
    const url = await serve((socket) => {
      socket.on('close', code.resolve);
      socket.send('first');
      socket.send('second');
    });
    const { wire, told, until } = dial(Wire, url);
    await until('opened');
    wire.close(1000);
    expect(wire.state).toBe('closing');
    await until('closed');
    expect(told).toEqual([
      ['opened'],
      ['message', 'first'],
      ['message', 'second'],
      ['closed', 1000],
    ]);
    expect(await code.promise).toBe(1000);
  });

  test('says that more may wait while much comes, and that no more does when all is read', async () => {
    const url = await serve((socket) => {
      // More than what all sockets may read in one cycle of the event loop, and than the kernel holds.
      for (let count = 0; count < 20_000; count++) socket.send('x'.repeat(1_000));
      socket.on('message', () => socket.close());
    });
    const { wire, told, until } = dial(Wire, url);
    await until('opened');
    wire.mayHaveMore();
    const looks: boolean[] = [];
    while (told.length < 20_001) {
      await new Promise(setImmediate);
      looks.push(wire.mayHaveMore());
    }
    expect(looks.filter((mayHaveMore) => mayHaveMore).length).toBeGreaterThan(1);
    await new Promise(setImmediate);
    wire.mayHaveMore();
    await new Promise(setImmediate);
    expect(wire.mayHaveMore()).toBe(false);
    // Its end has been read: what comes of it later is no news.
    wire.send('all is read');
    while (wire.state === 'open') await new Promise(setImmediate);
    expect(wire.mayHaveMore()).toBe(true);
    await until('closed');
  });

  test.each([1000, 1001, 4000])(
    'says the code %i with which the other side closed',
    async (code) => {
      const answered = Promise.withResolvers<number>();
      const url = await serve((socket) => {
        socket.on('close', answered.resolve);
        socket.close(code);
      });
      const { told, until } = dial(Wire, url);
      await until('closed');
      expect(told).toEqual([['opened'], ['closed', code]]);
      expect(await answered.promise).toBe(code);
    },
  );

  test('reports 1006 when the connection ends without a close frame', async () => {
    const { told, until } = dial(Wire, await serve((socket) => socket.terminate()));
    await until('closed');
    expect(told.at(-1)).toEqual(['closed', 1006]);
  });

  test('reports a message over the limit', async () => {
    const { told, until } = dial(Wire, await serve((socket) => socket.send('x'.repeat(1_001))));
    await until('closed');
    expect(told).toContainEqual(['trouble', 'message_too_large']);
  });

  test('reports a broken protocol', async () => {
    const url = await serve((socket) => {
      (socket as unknown as { _socket: Socket })._socket.write(Buffer.from('c100', 'hex'));
    });
    const { told, until } = dial(Wire, url);
    await until('closed');
    expect(told).toContainEqual(['trouble', 'protocol_error']);
  });

  test.each([
    ['a refusal', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'],
    [
      'an upgrade for nobody',
      'HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    ],
    ['what is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ])('does not open on %s', async (_title, answer) => {
    const { told, until } = dial(Wire, await answerWith(answer));
    await until('closed');
    expect(told[0]).toEqual(['trouble', 'connect_failed']);
    expect(told.at(-1)).toEqual(['closed', 1006]);
  });

  test('times out when no answer comes', async () => {
    const { told, until } = dial(Wire, await answerWith(), 20);
    await until('closed');
    expect(told).toEqual([
      ['trouble', 'connect_timeout'],
      ['closed', 1006],
    ]);
  });

  test('reports a failed connection where nobody listens', async () => {
    const { told, until } = dial(Wire, 'ws://127.0.0.1:1/');
    await until('closed');
    expect(told).toEqual([
      ['trouble', 'connect_failed'],
      ['closed', 1006],
    ]);
  });

  test.each(['ftp://127.0.0.1/', 'not an address'])('refuses %s', (url) => {
    expect(() => dial(Wire, url)).toThrow();
  });
});

describe('lean', () => {
  test('fails on an HTTP answer without end', async () => {
    const { told, until } = dial(LeanWire, await answerWith(`HTTP/1.1 101 ${'x'.repeat(20_000)}`));
    await until('closed');
    expect(told[0]).toEqual(['trouble', 'connect_failed']);
  });

  test('ends its half when the other side leaves after both close frames', async () => {
    const url = await serve((socket) => socket.close());
    const { told, until } = dial(LeanWire, url);
    await until('closed');
    expect(told).toEqual([['opened'], ['closed', 1005]]);
  });
});
