import { isUtf8 } from 'node:buffer';
import { completeOptions } from '../../../rtms/connection/options.ts';
import { Socket, type SocketHandlers } from '../../../rtms/wire/socket.ts';

/** Which of the two WebSocket codes of the client, and the certificate it trusts. */
export interface Engine {
  readonly name: string;
  readonly webSocket: 'lean' | 'ws';
  readonly ca?: string;
}

const CLOSE_MS = 5_000;

/** Opens the socket that signaling and media connections use, with the options that they use. */
function open(url: string, { webSocket, ca }: Engine, handlers: Partial<SocketHandlers>): Socket {
  const certificates = ca === undefined ? {} : { ca };
  const options = completeOptions({ isAllowedAddress: () => true, webSocket, ...certificates });
  const nothing: SocketHandlers = { opened: () => {}, message: () => {}, closed: () => {} };
  return new Socket(url, options, { ...nothing, ...handlers });
}

/**
 * Sends every message back, as text: our client has nothing else. A text that is none (broken UTF-8) is left alone, as the
 * connection does with a message that it cannot decode.
 *
 * @param isBinary nothing can be sent back; the first message ends the connection
 * @returns the size of the longest message read, bytes
 */
export function echo(url: string, engine: Engine, isBinary: boolean): Promise<number> {
  return new Promise((resolve) => {
    let longest = 0;
    const socket: Socket = open(url, engine, {
      message: (data) => {
        longest = Math.max(longest, data.length);
        if (isBinary) void socket.close(CLOSE_MS);
        else if (isUtf8(data)) socket.send(data.toString());
      },
      closed: () => resolve(longest),
    });
  });
}

/** The one message with which the suite answers a question, such as how many cases it has. */
export function ask(url: string, engine: Engine): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    open(url, engine, {
      message: (data) => {
        answer = data.toString();
      },
      closed: ({ end, error }) => (end === 'connection_closed' ? resolve(answer) : reject(error)),
    });
  });
}
