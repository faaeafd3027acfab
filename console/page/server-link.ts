/** The part of the address behind `#`: the token, and which meeting is open. No server ever sees it. */
export interface Address {
  readonly token: string;
  readonly meeting: string | undefined;
}

export function readAddress(hash: string): Address {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  return { token: query.get('token') ?? '', meeting: query.get('meeting') || undefined };
}

export function hashOf(token: string, meeting?: string): string {
  const query = new URLSearchParams({ token });
  if (meeting !== undefined) query.set('meeting', meeting);
  return `#${query}`;
}

/** Asks the console's server, with the token. @throws Error with what the server says */
export async function call<Answer>(token: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `the console answered ${response.status}`);
  return answer;
}

/** Has the browser save a file that the server has prepared. */
export function save(path: string): void {
  const link = document.createElement('a');
  link.href = path;
  link.download = '';
  document.body.append(link);
  link.click();
  link.remove();
}

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;

export type LinkState = 'connecting' | 'live' | 'lost' | 'refused';

export interface LiveHandlers {
  /** Where to go on: the first line and moment that this tab lacks. */
  readonly marks: () => { readonly line: number; readonly moment: number };
  readonly onMessage: (name: string, data: unknown) => void;
  readonly onConnection: (connection: LinkState, why?: string) => void;
}

/** Follows the server's events until it is ended. A connection that breaks is made again. */
export function follow(
  token: string,
  meeting: string | undefined,
  handlers: LiveHandlers,
): () => void {
  const stop = new AbortController();
  void run(token, meeting, handlers, stop.signal);
  return () => stop.abort();
}

async function run(
  token: string,
  meeting: string | undefined,
  { marks, onMessage, onConnection }: LiveHandlers,
  signal: AbortSignal,
): Promise<void> {
  let retryMs = FIRST_RETRY_MS;
  while (!signal.aborted) {
    try {
      const { line, moment } = marks();
      const query = new URLSearchParams({ line: String(line), moment: String(moment) });
      if (meeting !== undefined) query.set('meeting', meeting);
      const response = await fetch(`/api/live?${query}`, {
        headers: { authorization: `Bearer ${token}` },
        signal,
      });
      if (!response.ok || response.body === null) {
        const { error } = (await response.json()) as { error?: string };
        onConnection('refused', error);
        return;
      }
      onConnection('live');
      retryMs = FIRST_RETRY_MS;
      await readMessages(response.body, onMessage);
    } catch {
      // Told below, unless this tab ended it.
    }
    if (signal.aborted) return;
    onConnection('lost');
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
  }
}

async function readMessages(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onMessage: LiveHandlers['onMessage'],
): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let parts: string[] = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    parts.push(value);
    // A large message comes in many pieces. Only one with an end is worth joining them.
    if (!value.includes('\n')) continue;
    const blocks = parts.join('').split('\n\n');
    parts = [blocks.pop() ?? ''];
    for (const block of blocks) {
      const [first = '', second = ''] = block.split('\n');
      if (!first.startsWith('event: ') || !second.startsWith('data: ')) continue;
      onMessage(first.slice(7), JSON.parse(second.slice(6)));
    }
  }
}
