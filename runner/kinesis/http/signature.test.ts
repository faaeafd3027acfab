import { expect, test } from 'vitest';
import { canonicalPath, PostSigner, type SignedPost } from './signature.ts';

/** Credentials, time and host of AWS's published test suite for Signature Version 4. */
const VANILLA: SignedPost = {
  path: '/',
  region: 'us-east-1',
  service: 'service',
  headers: { host: 'example.amazonaws.com' },
  body: Buffer.alloc(0),
  atMs: Date.UTC(2015, 7, 30, 12, 36),
  credentials: {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  },
};

test.each([
  {
    name: 'post-vanilla',
    post: VANILLA,
    signed: 'host;x-amz-date',
    signature: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  {
    name: 'post-x-www-form-urlencoded',
    post: {
      ...VANILLA,
      headers: { ...VANILLA.headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: Buffer.from('Param1=value1'),
    },
    signed: 'content-type;host;x-amz-date',
    signature: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
])('signs the request $name of the test suite as published', ({ post, signed, signature }) => {
  expect(new PostSigner().sign(post)['authorization']).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ' +
      `SignedHeaders=${signed}, Signature=${signature}`,
  );
});

test('a key that is kept is not used for another day, region or secret', () => {
  const signer = new PostSigner();
  const others: SignedPost[] = [
    VANILLA,
    { ...VANILLA, atMs: VANILLA.atMs + 86_400_000 },
    { ...VANILLA, region: 'eu-central-1' },
    { ...VANILLA, credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'other' } },
    VANILLA,
  ];
  for (const post of others) expect(signer.sign(post)).toEqual(new PostSigner().sign(post));
});

test.each([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/b/', '/a/b/'],
  ['//a//b', '/a/b'],
  ['/a/./b/../c/', '/a/c/'],
  ['/..', '/'],
  ['/c%20d', '/c%2520d'],
  ["/a-b_c.d~e+f*g!(h)'", '/a-b_c.d~e%2Bf%2Ag%21%28h%29%27'],
])('the path %s is signed as %s', (path, signed) => {
  expect(canonicalPath(path)).toBe(signed);
});

test('a session token is a signed header', () => {
  const credentials = { ...VANILLA.credentials, sessionToken: 'token' };
  const headers = new PostSigner().sign({ ...VANILLA, credentials });
  expect(headers['x-amz-security-token']).toBe('token');
  expect(headers['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token,');
});

test.each([{ accessKeyId: 'a\r\nx: y' }, { sessionToken: 'a\r\nx: y' }])(
  'credentials that would end their header are refused: %j',
  (wrong) => {
    const credentials = { ...VANILLA.credentials, ...wrong };
    expect(() => new PostSigner().sign({ ...VANILLA, credentials })).toThrow(
      expect.objectContaining({ name: 'CredentialsProviderError' }),
    );
  },
);
