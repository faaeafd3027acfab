import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FakeRecogniser } from './fake-recogniser.ts';
import { NumberEars } from './heard-numbers.ts';

/** whisper-server's `/inference`: a WAV file as a form in, a text out. `breakAll` makes it refuse the next three calls. */
export async function startFakeWhisper(): Promise<FakeRecogniser> {
  let [opened, refusals] = [0, 0];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    opened += 1;
    if (refusals > 0) {
      refusals -= 1;
      response.destroy();
      return;
    }
    const headers = { 'content-type': request.headers['content-type'] ?? '' };
    const form = await new Response(Buffer.concat(parts), { headers }).formData();
    const wav = Buffer.from(await (form.get('file') as File).arrayBuffer());
    const ears = new NumberEars();
    const heard = [...ears.hear(wav.subarray(44)), ...ears.end()];
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ text: ` ${heard.map(({ text }) => text).join(' ')}\n` }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/inference`,
    get opened() {
      return opened;
    },
    timedOut: 0,
    keptAlive: 0,
    breakAll: () => {
      refusals = 3;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
