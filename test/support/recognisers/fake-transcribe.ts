import { once } from 'node:events';
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { EventStreamCodec } from '@smithy/core/event-streams';
import { type FakeRecogniser, fakeRecogniser, IdleRule } from './fake-recogniser.ts';
import { type HeardNumber, NumberEars } from './heard-numbers.ts';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);
const text = (value: string) => ({ type: 'string', value }) as const;

/** Silence of exactly 100 ms of zeros right behind nothing heard is what keeps a stream alive. */
const isSilence = (bytes: Uint8Array) =>
  bytes.length === 3_200 && bytes.every((byte) => byte === 0);

/** Streaming transcription of Amazon Transcribe over HTTP/2, without TLS: event-stream messages both ways, and its rule for pauses. */
export async function startFakeTranscribe(idleMs: number): Promise<FakeRecogniser> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  const counts = { opened: 0, timedOut: 0, keptAlive: 0 };
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    session.on('error', () => undefined);
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path'] !== '/stream-transcription')
      return stream.respond({ ':status': 404 }, { endStream: true });
    counts.opened += 1;
    stream.respond({ ':status': 200, 'content-type': 'application/vnd.amazon.eventstream' });
    serve(stream, idleMs, counts);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = () => {
    for (const session of sessions) session.destroy();
  };
  const { port } = server.address() as AddressInfo;
  return fakeRecogniser(`http://127.0.0.1:${port}`, server, counts, breakAll);
}

function serve(
  stream: ServerHttp2Stream,
  idleMs: number,
  counts: { timedOut: number; keptAlive: number },
): void {
  const ears = new NumberEars();
  const say = (headers: Record<string, string>, body: unknown) => {
    if (stream.writable)
      stream.write(
        codec.encode({
          headers: Object.fromEntries(
            Object.entries({ ':content-type': 'application/json', ...headers }).map(
              ([name, value]) => [name, text(value)],
            ),
          ),
          body: Buffer.from(JSON.stringify(body)),
        }),
      );
  };
  const rule = new IdleRule(idleMs, () => {
    counts.timedOut += 1;
    const Message = 'Your request timed out because no new audio was received for 15 seconds.';
    say({ ':message-type': 'exception', ':exception-type': 'BadRequestException' }, { Message });
    stream.end();
  });
  const tell = (numbers: readonly HeardNumber[]) => {
    for (const { text: Transcript, fromMs, toMs } of numbers) {
      for (const IsPartial of [true, false]) {
        const times = { StartTime: fromMs / 1000, EndTime: toMs / 1000 };
        const Results = [{ IsPartial, ...times, Alternatives: [{ Transcript }] }];
        say(
          { ':message-type': 'event', ':event-type': 'TranscriptEvent' },
          { Transcript: { Results } },
        );
      }
    }
  };
  let held = Buffer.alloc(0);
  stream.on('data', (data: Buffer) => {
    held = Buffer.concat([held, data]);
    while (held.length >= 4 && held.length >= held.readUInt32BE(0)) {
      const signed = codec.decode(held.subarray(0, held.readUInt32BE(0)));
      held = held.subarray(held.readUInt32BE(0));
      if (signed.headers[':chunk-signature'] === undefined || signed.body.length === 0) continue;
      const { headers, body } = codec.decode(signed.body);
      if (headers[':event-type']?.value !== 'AudioEvent') continue;
      rule.heard();
      if (isSilence(body)) counts.keptAlive += 1;
      if (body.length > 0) tell(ears.hear(body));
      else {
        tell(ears.end());
        rule.end();
        stream.end();
      }
    }
  });
  stream.on('close', () => rule.end());
}
