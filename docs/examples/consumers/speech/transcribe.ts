import {
  StartStreamTranscriptionCommand,
  type TranscribeStreamingClient,
} from '@aws-sdk/client-transcribe-streaming';
import type { Recogniser } from './recognise.ts';
import type { Heard } from './results.ts';

const RATE_HZ = 16_000;

/** Transcribe takes pieces of 50 to 200 ms. */
const SILENCE_MS = 100;

/**
 * A stream of Amazon Transcribe. Transcribe ends a stream that brings no sound for 15 s, with `BadRequestException`; a keep-alive of its
 * own it has not, so a pause has to be sent as silence. A stream lives four hours at most: then `recognise` opens the next one.
 *
 * @see https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html
 */
export async function connectTranscribe(
  client: TranscribeStreamingClient,
  language: 'en-US' | 'de-DE' | 'fr-FR' = 'en-US',
): Promise<Recogniser> {
  const input = new Pieces();
  const stop = new AbortController();
  const command = new StartStreamTranscriptionCommand({
    LanguageCode: language,
    MediaEncoding: 'pcm',
    MediaSampleRateHertz: RATE_HZ,
    AudioStream: input,
  });
  // The SDK sends the first piece before it is answered.
  const answered = client.send(command, { abortSignal: stop.signal });
  answered.catch((error) => input.fail(error));

  async function* results(): AsyncGenerator<Heard> {
    const { TranscriptResultStream = [] } = await answered;
    for await (const { TranscriptEvent, ...failure } of TranscriptResultStream) {
      if (TranscriptEvent === undefined) throw Object.values(failure)[0];
      for (const result of TranscriptEvent.Transcript?.Results ?? []) {
        const text = result.Alternatives?.[0]?.Transcript ?? '';
        if (result.IsPartial || text === '') continue;
        const { StartTime = 0, EndTime = 0 } = result;
        yield { fromMs: StartTime * 1000, toMs: EndTime * 1000, text };
      }
    }
  }

  return {
    results: failing(results(), input),
    send: (samples) => input.push(samples),
    async keepAlive() {
      await input.push(new Int16Array((RATE_HZ * SILENCE_MS) / 1000));
      return SILENCE_MS;
    },
    async finish() {
      // An empty event says that no more comes.
      await input.push(new Int16Array(0));
      input.end();
    },
    close() {
      input.end();
      stop.abort();
    },
  };
}

/** What the SDK pulls: each piece waits until the one before it was taken. */
class Pieces implements AsyncIterable<{ AudioEvent: { AudioChunk: Uint8Array } }> {
  #piece: Int16Array | undefined;
  #isEnded = false;
  #error: unknown;
  #change = Promise.withResolvers<void>();

  async push(samples: Int16Array): Promise<void> {
    while (this.#piece !== undefined && this.#error === undefined && !this.#isEnded)
      await this.#change.promise;
    if (this.#error !== undefined) throw this.#error;
    this.#piece = samples;
    this.#tell();
  }

  end(): void {
    this.#isEnded = true;
    this.#tell();
  }

  fail(error: unknown): void {
    this.#error ??= error;
    this.#tell();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      const piece = this.#piece;
      if (piece !== undefined) {
        this.#piece = undefined;
        this.#tell();
        const AudioChunk = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
        yield { AudioEvent: { AudioChunk } };
      } else if (this.#isEnded) return;
      else await this.#change.promise;
    }
  }

  #tell(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}

/** A stream that fails on one side is gone on the other one too. */
async function* failing(results: AsyncGenerator<Heard>, input: Pieces): AsyncGenerator<Heard> {
  try {
    yield* results;
  } catch (error) {
    input.fail(error);
    throw error;
  }
}
