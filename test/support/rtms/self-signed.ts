import { generateKeyPairSync, sign } from 'node:crypto';

/** A fresh self-signed certificate for `localhost` and its key, PEM, valid to the year 2049. */
export function selfSigned(): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(bytes(0x06, '2a8648ce3d040302'));
  const name = sequence(
    tag(0x31, sequence(bytes(0x06, '550403'), tag(0x0c, Buffer.from('localhost')))),
  );
  const validity = sequence(
    tag(0x17, Buffer.from('250101000000Z')),
    tag(0x17, Buffer.from('490101000000Z')),
  );
  const altNames = sequence(tag(0x82, Buffer.from('localhost')));
  const extensions = sequence(sequence(bytes(0x06, '551d11'), tag(0x04, altNames)));
  const body = sequence(
    tag(0xa0, bytes(0x02, '02')),
    bytes(0x02, '01'),
    ecdsaWithSha256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, extensions),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]);
  const der = sequence(body, ecdsaWithSha256, tag(0x03, signature));
  const lines = der.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function tag(number: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(number, ...size), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

function bytes(number: number, hex: string): Buffer {
  return tag(number, Buffer.from(hex, 'hex'));
}
