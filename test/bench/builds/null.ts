/**
 * What no receiver in Node can do without: TLS, and walking WebSocket frames in one shared read buffer. The
 * payloads are never looked at. Not a build, but the floor under all of them.
 */
import { randomBytes } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { mediaTypeBits } from '../../../rtms/connection/media-plan.ts';
import { MESSAGE_TYPE } from '../../../rtms/protocol/constants.ts';
import { wantedMediaTypes } from '../../../rtms/protocol/params.ts';
import type { StartBuild } from './build.ts';

const readBuffer = Buffer.alloc(64 * 1024);

export const start: StartBuild = async (_kinesisUrl, tally) => ({
  async join({ rtmsStreamId, signalingUrl, media }) {
    const identity = { meeting_uuid: 'bench', rtms_stream_id: rtmsStreamId, signature: 'bench' };
    const hello = { msg_type: MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ, ...identity };
    await converse(new URL(signalingUrl), hello, () => {});
    for (const type of wantedMediaTypes(media)) {
      await converse(
        new URL(`/${type}`, signalingUrl),
        {
          msg_type: MESSAGE_TYPE.DATA_HAND_SHAKE_REQ,
          media_type: mediaTypeBits([type]),
          ...identity,
        },
        () => {
          tally.frames += 1;
        },
      );
    }
  },
});

/** Connects, says hello, and counts what comes. Resolves with the answer to the hello. */
function converse(url: URL, hello: object, onFrame: () => void): Promise<void> {
  const answered = Promise.withResolvers<void>();
  let walker: FrameWalker | undefined;
  const onread = {
    buffer: readBuffer,
    callback: (length: number): boolean => {
      if (walker !== undefined) walker.read(readBuffer, 0, length);
      else {
        const end = readBuffer.indexOf('\r\n\r\n') + 4;
        walker = new FrameWalker(() => {
          answered.resolve();
          if (walker) walker.onFrame = onFrame;
        });
        socket.write(maskedFrame(JSON.stringify(hello)));
        walker.read(readBuffer, end, length);
      }
      return true;
    },
  };
  const port = Number(url.port);
  // `onread` is missing from the types of tls, not from tls.
  const options = { host: url.hostname, port, servername: url.hostname, onread };
  const socket: TLSSocket = connect(options, () => {
    socket.write(
      `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  });
  socket.on('error', answered.reject);
  return answered.promise;
}

/** Steps from frame to frame; only the headers are read. */
class FrameWalker {
  onFrame: () => void;
  /** Bytes of the current payload still to come. */
  #skip = 0;
  #header = Buffer.alloc(10);
  #headerBytes = 0;

  constructor(onFrame: () => void) {
    this.onFrame = onFrame;
  }

  read(bytes: Buffer, from: number, to: number): void {
    let at = from;
    while (at < to) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, to - at);
        at += step;
        this.#skip -= step;
        if (this.#skip === 0) this.onFrame();
        continue;
      }
      this.#header[this.#headerBytes++] = bytes[at++] as number;
      const short = (this.#header[1] as number) & 0x7f;
      const needed = this.#headerBytes < 2 ? 2 : short === 127 ? 10 : short === 126 ? 4 : 2;
      if (this.#headerBytes < needed) continue;
      this.#headerBytes = 0;
      if (short < 126) this.#skip = short;
      else if (short === 126) this.#skip = this.#header.readUInt16BE(2);
      else this.#skip = this.#header.readUInt32BE(6);
    }
  }
}

function maskedFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = 0x81;
  header[1] = 0x80 | 126;
  header.writeUInt16BE(payload.length, 2);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([header, payload]);
}
