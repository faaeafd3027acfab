import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answerUrlValidation, signWebhook, verifyWebhook } from './webhook-signature.ts';

interface Vector {
  name: string;
  secret_token: string;
  headers: { 'x-zm-request-timestamp': string; 'x-zm-signature': string };
  raw_body: string;
  raw_body_base64: string;
}

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../test/fixtures/zoom/${name}`, import.meta.url), 'utf8'));
const { vectors } = fixture('signature-vectors.json') as { vectors: Vector[] };

const TOKEN = 'exampleWebhookSecretToken';
const body = Buffer.from('{"event":"meeting.rtms_started"}');
const timestamp = '1626230692';
const at = { nowMs: 1_626_230_692_000, maxSkewSeconds: 300 };
const signed = { timestamp, signature: signWebhook(TOKEN, timestamp, body), rawBody: body };

describe('published vectors', () => {
  test.each(vectors)('$name', (vector) => {
    const sentAt = vector.headers['x-zm-request-timestamp'];
    const signature = vector.headers['x-zm-signature'];
    const rawBody = Buffer.from(vector.raw_body_base64, 'base64');
    expect(rawBody.toString('utf8')).toBe(vector.raw_body);
    expect(signWebhook(vector.secret_token, sentAt, rawBody)).toBe(signature);
    const window = { nowMs: Number(sentAt) * 1000, maxSkewSeconds: 300 };
    expect(
      verifyWebhook({ timestamp: sentAt, signature, rawBody }, [vector.secret_token], window),
    ).toEqual({ verdict: 'genuine', secretToken: vector.secret_token });
    const reserialised = Buffer.from(JSON.stringify({ ...JSON.parse(vector.raw_body), x: 1 }));
    expect(
      verifyWebhook(
        { timestamp: sentAt, signature, rawBody: reserialised },
        [vector.secret_token],
        window,
      ),
    ).toEqual({ verdict: 'forged' });
  });

  test('the delivery of the example headers', () => {
    const headers = fixture('delivery-headers.example.json') as Record<string, string>;
    const delivery = {
      timestamp: headers['x-zm-request-timestamp'],
      signature: headers['x-zm-signature'],
      rawBody: Buffer.from(vectors[0]?.raw_body ?? ''),
    };
    expect(verifyWebhook(delivery, [TOKEN], at).verdict).toBe('genuine');
  });

  test('the answer to the challenge', () => {
    const { plainToken } = fixture('endpoint.url_validation.json').payload;
    expect(answerUrlValidation(TOKEN, plainToken)).toEqual(
      fixture('endpoint.url_validation.response.json'),
    );
  });
});

describe('verifyWebhook', () => {
  test.each([-300, -299, 0, 299, 300])('accepts a clock that is %i s off', (seconds) => {
    const nowMs = at.nowMs + seconds * 1000;
    expect(verifyWebhook(signed, [TOKEN], { ...at, nowMs }).verdict).toBe('genuine');
  });

  test.each([-301, 301, 86_400])('calls a clock that is %i s off stale', (seconds) => {
    const nowMs = at.nowMs + seconds * 1000;
    expect(verifyWebhook(signed, [TOKEN], { ...at, nowMs })).toEqual({ verdict: 'stale' });
  });

  test('accepts both tokens of a rotation and says which one fits', () => {
    const tokens = ['newToken', TOKEN];
    expect(verifyWebhook(signed, tokens, at)).toEqual({ verdict: 'genuine', secretToken: TOKEN });
    const signature = signWebhook('newToken', timestamp, body);
    expect(verifyWebhook({ ...signed, signature }, tokens, at)).toEqual({
      verdict: 'genuine',
      secretToken: 'newToken',
    });
  });

  test('knows nothing genuine without a token', () => {
    expect(verifyWebhook(signed, [], at)).toEqual({ verdict: 'forged' });
  });

  test.each([
    ['a changed body', { rawBody: Buffer.from('{"event":"meeting.rtms_stopped"}') }],
    ['another time', { timestamp: '1626230693' }],
    ['another signature', { signature: `v0=${'0'.repeat(64)}` }],
  ])('calls a delivery with %s forged', (_what, change) => {
    expect(verifyWebhook({ ...signed, ...change }, [TOKEN], at)).toEqual({ verdict: 'forged' });
  });

  test.each([
    ['no signature', { signature: undefined }],
    ['no timestamp', { timestamp: undefined }],
    ['a signature of another length', { signature: 'v0=00' }],
    ['two signatures', { signature: `${signed.signature},${signed.signature}` }],
    ['an upper-case signature', { signature: signed.signature.toUpperCase() }],
    ['a signature of another version', { signature: signed.signature.replace('v0', 'v1') }],
    ['a timestamp with a sign', { timestamp: '-1626230692' }],
    ['a timestamp that is no number', { timestamp: 'NaN' }],
    ['a timestamp in exponent form', { timestamp: '1e9' }],
    ['a timestamp with a fraction', { timestamp: '1626230692.0' }],
  ])('calls a delivery with %s unsigned', (_what, change) => {
    expect(verifyWebhook({ ...signed, ...change }, [TOKEN], at)).toEqual({ verdict: 'unsigned' });
  });
});

describe('answerUrlValidation', () => {
  test.each(['v0:1626230692:{}', 'V0:1', 'v1:x', ' v0:x'])('does not sign %s', (plainToken) => {
    expect(answerUrlValidation(TOKEN, plainToken)).toBeUndefined();
  });

  test.each(['v0', 'abc:v0:', 'v0abc'])('signs the harmless %s', (plainToken) => {
    expect(answerUrlValidation(TOKEN, plainToken)?.plainToken).toBe(plainToken);
  });
});
