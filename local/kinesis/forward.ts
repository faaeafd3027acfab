import { request } from 'node:http';
import type { Exchange } from './http.ts';

/** What the other server answered. */
interface ForwardedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Headers of one connection. The other server has a connection of its own. */
const OF_CONNECTION = new Set([
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'te',
]);

/**
 * Sends a call on to another Kinesis on loopback, by HTTP/1.1 whatever it came by. Each call has a connection of its own:
 * a kept one may be closed by the server just when the next call is written to it, and nobody knows then whether to repeat it.
 *
 * @returns undefined when the other server broke the connection
 */
export function forwardCall(
  { method, path, headers, body }: Exchange,
  port: number,
): Promise<ForwardedAnswer | undefined> {
  const kept = Object.entries(headers).filter(
    ([name]) => !name.startsWith(':') && !OF_CONNECTION.has(name),
  );
  return new Promise((resolve) => {
    const broken = () => resolve(undefined);
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { ...Object.fromEntries(kept), 'content-length': body?.length ?? 0 },
        agent: false,
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', broken);
        answer.on('end', () => {
          const { statusCode = 500, headers: told } = answer;
          const type = told['content-type'];
          resolve({
            status: statusCode,
            headers: type === undefined ? {} : { 'content-type': type },
            body: Buffer.concat(chunks),
          });
        });
      },
    );
    sent.on('error', broken);
    sent.end(body);
  });
}
