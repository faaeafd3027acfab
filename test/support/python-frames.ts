import { createHash } from 'node:crypto';
import type { Frame } from '../../sdk/consumer/index.ts';

/** A frame as the Python package of docs/examples/python names its fields, with the SHA-256 of its payload in the payload's place. */
export function inPython(frame: Frame): Record<string, unknown> {
  const { capturedAt, receivedAt, payload, ...rest } = frame;
  const fields = {
    ...rest,
    capturedAtMs: capturedAt.getTime(),
    receivedAtMs: receivedAt.getTime(),
    payload: createHash('sha256').update(payload).digest('hex'),
  };
  const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [snake(name), value]));
}
