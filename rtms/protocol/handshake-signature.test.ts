import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signHandshake } from './handshake-signature.ts';

const file = new URL('../../test/fixtures/rtms/signaling/signature-vectors.json', import.meta.url);

interface Vector {
  product: string;
  client_id: string;
  client_secret: string;
  id: string;
  rtms_stream_id: string;
  signature: string;
}

const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

test.each(vectors.map((vector) => [vector.product, vector] as const))(
  'signs a handshake of product %s as the vector says',
  (_product, vector) => {
    const signature = signHandshake({
      clientId: vector.client_id,
      clientSecret: vector.client_secret,
      entityId: vector.id,
      rtmsStreamId: vector.rtms_stream_id,
    });
    expect(signature).toBe(vector.signature);
  },
);
