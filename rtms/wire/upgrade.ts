import { createHash } from 'node:crypto';

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The opening handshake's request (RFC 6455, section 4.1). @param key 16 random bytes, base64 */
export function upgradeRequest(url: URL, key: string): string {
  return [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    '\r\n',
  ].join('\r\n');
}

/**
 * Judges the answer to `upgradeRequest`.
 *
 * @param head status line and headers, without the empty line behind them
 * @returns what is wrong with it, or undefined: it is a WebSocket from here on
 */
export function upgradeRefusal(head: string, key: string): string | undefined {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status !== '101') return `answered ${status ?? 'something else than HTTP/1.1'}`;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return 'a header line without a name';
    const name = line.slice(0, colon).toLowerCase();
    headers.set(
      name,
      [...(headers.has(name) ? [headers.get(name)] : []), line.slice(colon + 1).trim()].join(),
    );
  }
  if (headers.get('upgrade')?.toLowerCase() !== 'websocket') return 'no upgrade to websocket';
  const options = headers
    .get('connection')
    ?.toLowerCase()
    .split(/\s*,\s*/);
  if (options?.includes('upgrade') !== true) return 'no connection upgrade';
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  if (headers.get('sec-websocket-accept') !== accept) return 'wrong Sec-WebSocket-Accept';
  for (const name of ['sec-websocket-extensions', 'sec-websocket-protocol']) {
    if (headers.has(name)) return `${name} was not asked for`;
  }
  return undefined;
}
