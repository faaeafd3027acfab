import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createListener, LISTENER_TIMEOUTS } from './webhook-listener.ts';

const HEAD = 'POST / HTTP/1.1\r\nhost: x\r\n';

/** Sends these bytes, then one more every so often. @returns how long the server let that go on, ms */
function heldMs(port: number, bytes: string, next: string): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const trickle = setInterval(() => socket.write(next), 20);
    socket.on('error', () => {});
    socket.resume().on('close', () => {
      clearInterval(trickle);
      resolve(performance.now() - startedAt);
    });
  });
}

test('ends a connection whose request is not complete within 10 s', () => {
  const { headersTimeout, requestTimeout, connectionsCheckingInterval } = LISTENER_TIMEOUTS;
  expect(headersTimeout).toBeLessThanOrEqual(requestTimeout);
  expect(requestTimeout + connectionsCheckingInterval).toBeLessThanOrEqual(10_000);
});

test('ends slow headers, slow bodies and silence, however regularly a byte comes', async () => {
  const short = { headersTimeout: 200, requestTimeout: 300, connectionsCheckingInterval: 50 };
  // Reads every body: what ends the connection is the time, not the handler.
  const server = createListener(
    (request, response) => {
      request.resume().on('end', () => response.end());
    },
    undefined,
    short,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const held = await Promise.all([
    heldMs(port, HEAD, 'x'),
    heldMs(port, HEAD, 'x: y\r\n'),
    heldMs(port, `${HEAD}content-length: 100000\r\n\r\n`, 'x'),
    heldMs(port, `${HEAD}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n'),
    heldMs(port, '', ''),
  ]);
  for (const ms of held) expect(ms).toBeGreaterThan(150);
  // The margin is for a busy machine; without all three time-outs it would be a minute.
  for (const ms of held) expect(ms).toBeLessThan(5_000);
  await new Promise((resolve) => server.close(resolve));
});
