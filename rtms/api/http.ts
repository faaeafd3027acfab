import type { HttpAnswer } from './answer.ts';

/** An account's list of live meetings has up to 300 entries a page; nothing of it is larger than a few kB. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** `unreachable`: no answer in time, or none that could be read. */
export type RawAnswer = HttpAnswer | 'unreachable';

/** What is sent to a URL. `json` is the body; `timeoutMs` bounds connection and answer together. */
export interface HttpQuestion {
  readonly method: 'GET' | 'PATCH' | 'PUT' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly timeoutMs: number;
}

/**
 * One HTTP request. Errors are not passed on, because those of `fetch` may quote the address, and an OAuth address names
 * the account. Redirects are not followed: they would carry the authorization to a host that nobody has named.
 */
export async function fetchAnswer(url: string, question: HttpQuestion): Promise<RawAnswer> {
  const { method, headers, json, timeoutMs } = question;
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...(json !== undefined && { 'content-type': 'application/json' }) },
      ...(json !== undefined && { body: JSON.stringify(json) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      body: await bodyOf(response),
    };
  } catch {
    return 'unreachable';
  }
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RangeError('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
