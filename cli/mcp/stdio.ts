import { once } from 'node:events';
import type { McpServer } from '@modelcontextprotocol/server';
import { Listening } from './listening.ts';
import { createServer, loadStdio, type ServerParts } from './server.ts';

/**
 * Serves one client on stdin and stdout, until it closes stdin or the signal of the context comes. stdout is the protocol:
 * nothing else may be written there.
 */
export async function serveOnStdio(parts: ServerParts): Promise<void> {
  const { serveStdio, StdioServerTransport } = await loadStdio();
  const { meetings, watcher } = parts;
  const { output, signal } = meetings.context;
  const listening = new Listening(meetings, watcher);
  let newest: McpServer | undefined;
  const tell = (uri: string) =>
    void newest?.server.sendResourceUpdated({ uri }).catch(() => undefined);
  const transport = new StdioServerTransport();
  seeMessages(transport, (message) => void listening.see(message, tell));
  const ended = once(process.stdin, 'close', { signal }).catch(() => undefined);
  const handle = serveStdio(
    async () => {
      newest = await createServer(parts);
      return newest;
    },
    { transport, onerror: (error) => output.note(`client: ${error.message}`) },
  );
  await ended;
  listening.close();
  await handle.close();
}

interface Messages {
  onmessage?: ((message: never) => void) | undefined;
}

/** Shows every message to `see` before its receiver gets it, whoever that is and whenever it is set. */
function seeMessages(transport: Messages, see: (message: unknown) => void): void {
  let receive = transport.onmessage;
  Object.defineProperty(transport, 'onmessage', {
    get: () => receive,
    set: (receiver: Messages['onmessage']) => {
      receive = (message) => {
        see(message);
        receiver?.(message);
      };
    },
  });
}
