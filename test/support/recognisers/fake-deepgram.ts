import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { type FakeRecogniser, fakeRecogniser, IdleRule } from './fake-recogniser.ts';
import { type HeardNumber, NumberEars } from './heard-numbers.ts';

/** Deepgram's live connection: binary messages of samples in, `Results` out; it closes with 1011 what brings nothing. */
export async function startFakeDeepgram(idleMs: number): Promise<FakeRecogniser> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const counts = { opened: 0, timedOut: 0, keptAlive: 0 };
  server.on('connection', (socket, request) => {
    if (request.headers.authorization !== 'Token secret') return socket.close(4_001);
    counts.opened += 1;
    const ears = new NumberEars();
    const rule = new IdleRule(idleMs, () => {
      counts.timedOut += 1;
      socket.close(1_011, 'NET-0001');
    });
    const tell = (numbers: readonly HeardNumber[]) => {
      for (const { text: transcript, fromMs, toMs } of numbers) {
        const times = { start: fromMs / 1000, duration: (toMs - fromMs) / 1000 };
        const channel = { alternatives: [{ transcript }] };
        for (const is_final of [false, true])
          socket.send(JSON.stringify({ type: 'Results', is_final, ...times, channel }));
      }
    };
    socket.on('message', (data: Buffer, isBinary) => {
      rule.heard();
      if (isBinary) return tell(ears.hear(data));
      if (JSON.parse(String(data)).type === 'KeepAlive') counts.keptAlive += 1;
      else {
        tell(ears.end());
        socket.close(1_000);
      }
    });
    socket.on('close', () => rule.end());
    socket.on('error', () => undefined);
  });
  const breakAll = () => {
    for (const socket of server.clients) socket.terminate();
  };
  const { port } = server.address() as AddressInfo;
  return fakeRecogniser(`ws://127.0.0.1:${port}`, server, counts, breakAll);
}
