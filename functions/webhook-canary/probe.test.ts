import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { answerUrlValidation, verifyWebhook } from '../../shared/zoom/webhook-signature.ts';
import { probe, probeAll } from './probe.ts';

const TOKEN = 'exampleWebhookSecretToken';

let close: (() => void) | undefined;

afterEach(() => {
  close?.();
  close = undefined;
});

/** @returns the address of a webhook that answers each request by `answer` */
async function startWebhook(
  answer: (request: IncomingMessage, body: string) => { status: number; body: string },
): Promise<string> {
  const server = createServer(async (request, response) => {
    const { status, body } = answer(request, await text(request));
    response.writeHead(status).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhook`;
}

function genuineAnswer(request: IncomingMessage, body: string) {
  const { verdict } = verifyWebhook(
    {
      timestamp: String(request.headers['x-zm-request-timestamp']),
      signature: String(request.headers['x-zm-signature']),
      rawBody: Buffer.from(body),
    },
    [TOKEN],
    { nowMs: Date.now(), maxSkewSeconds: 300 },
  );
  const { plainToken } = JSON.parse(body).payload;
  return verdict === 'genuine'
    ? { status: 200, body: JSON.stringify(answerUrlValidation(TOKEN, plainToken)) }
    : { status: 401, body: '' };
}

describe('probe', () => {
  test('succeeds when the webhook verifies and answers the URL validation', async () => {
    const url = await startWebhook(genuineAnswer);
    await expect(probe(url, TOKEN)).resolves.toBeUndefined();
  });

  test('fails with the status when the webhook holds another token', async () => {
    const url = await startWebhook(genuineAnswer);
    await expect(probe(url, 'another token')).rejects.toMatchObject({
      code: 'webhook/canary-failed',
      detail: { status: 401 },
    });
  });

  test.each([
    ['another challenge', JSON.stringify({ encryptedToken: 'f00' })],
    ['null', 'null'],
    ['no JSON', 'ok'],
  ])('fails on a 200 that answers %s', async (_, body) => {
    const url = await startWebhook(() => ({ status: 200, body }));
    await expect(probe(url, TOKEN)).rejects.toMatchObject({ code: 'webhook/canary-failed' });
  });

  test('fails when nobody listens', async () => {
    const url = await startWebhook(genuineAnswer);
    close?.();
    await expect(probe(url, TOKEN)).rejects.toMatchObject({ code: 'webhook/canary-failed' });
  });
});

describe('probeAll', () => {
  const apps = new Map([
    ['default', { webhookSecretTokens: [TOKEN] }],
    ['team-b', { webhookSecretTokens: [TOKEN] }],
    ['team-c', { webhookSecretTokens: ['a token that the webhook does not have'] }],
  ]);

  test('probes every app at its own address', async () => {
    const paths: string[] = [];
    const url = await startWebhook((request, body) => {
      paths.push(request.url ?? '');
      return genuineAnswer(request, body);
    });
    await probeAll(url, new Map([...apps].slice(0, 2)));
    expect(paths.sort()).toEqual(['/webhook', '/webhook/team-b']);
  });

  test('names the apps that failed', async () => {
    const url = await startWebhook(genuineAnswer);
    await expect(probeAll(url, apps)).rejects.toMatchObject({
      code: 'webhook/canary-failed',
      detail: { apps: ['team-c'] },
    });
  });
});
