import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { selfSigned } from '../../../test/support/rtms/self-signed.ts';
import { simulateStream } from '../../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { Client, configureLogger, LogLevel } from '../index.ts';

const tls = selfSigned();

test('a client trusts the roots that join or initialize names', async () => {
  await using stream = await simulateStream({}, { tls });
  const payload = () => ({
    ...stream.payload(),
    server_urls: String(stream.payload().server_urls).replace('127.0.0.1', 'localhost'),
  });
  const client = stream.client({ allowedHosts: '127.0.0.1,localhost' });
  const isConnected = () => stream.simulator.streams()[0]?.isConnected;
  client.join({ ...payload(), ca: tls.cert });
  await expect.poll(isConnected).toBe(true);
  await client.leave();
  await expect.poll(isConnected).toBe(false);
  Client.initialize(tls.cert);
  client.join(payload());
  await expect.poll(isConnected).toBe(true);
  Client.uninitialize();
});

test.for(['join', 'ZM_RTMS_CA', 'initialize'] as const)(
  'a CA file that is not there is logged, and the system roots hold: %s',
  async (place) => {
    await using stream = await simulateStream();
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
      return lines.push(String(line)) > 0;
    });
    configureLogger({ enabled: true, level: LogLevel.WARN });
    if (place === 'ZM_RTMS_CA') vi.stubEnv('ZM_RTMS_CA', '/nowhere.pem');
    if (place === 'initialize') Client.initialize('/nowhere.pem');
    const client = stream.client();
    const confirmed = new Promise((resolve) => client.onJoinConfirm(resolve));
    client.join({ ...stream.payload(), ...(place === 'join' && { ca: '/nowhere.pem' }) });
    expect(await confirmed).toBe(0);
    write.mockRestore();
    vi.unstubAllEnvs();
    Client.uninitialize();
    expect(lines.join('')).toMatch(/WARN .*certificate file cannot be read.* ca=\/nowhere\.pem /);
  },
);

test('certificates are verified although is_verify_cert says not to', async () => {
  await using stream = await simulateStream({}, { tls });
  const lines: string[] = [];
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    return lines.push(String(line)) > 0;
  });
  configureLogger({ enabled: true, level: LogLevel.WARN });
  const client = stream.client({ allowedHosts: '127.0.0.1,localhost' });
  const serverUrls = String(stream.payload().server_urls).replace('127.0.0.1', 'localhost');
  client.join({ ...stream.payload(), server_urls: serverUrls, is_verify_cert: 0 });
  await waitFor(() => expect(lines.join('')).toMatch(/connection closed/));
  write.mockRestore();
  configureLogger({ enabled: false });
  expect(stream.simulator.streams()[0]?.isConnected).toBe(false);
});

test('every connection goes through the proxy of setProxy', async () => {
  await using stream = await simulateStream();
  const seen: string[] = [];
  const proxy = createServer().on('connect', (request, socket, head) => {
    seen.push(request.url ?? '');
    const [host, port] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const client = stream.client();
  const { port } = proxy.address() as AddressInfo;
  expect(client.setProxy('http', `http://127.0.0.1:${port}`)).toBe(true);
  expect(await stream.join(client)).toBe(0);
  expect(seen).toContain(new URL(stream.simulator.signalingUrl).host);
  expect(seen).toContain(new URL(stream.simulator.mediaUrl).host);
  await client.leave();
  proxy.close();
});

test('layout unified uses one media connection', async () => {
  await using stream = await simulateStream();
  const client = new Client({ allowedHosts: '127.0.0.1', layout: 'unified' });
  client.onAudioData(() => {});
  client.onTranscriptData(() => {});
  expect(await stream.join(client)).toBe(0);
  expect(stream.simulator.streams()[0]?.mediaConnected).toEqual(['audio', 'transcript']);
  await client.leave();
});
