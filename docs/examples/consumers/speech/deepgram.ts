import { on, once } from 'node:events';
import { WebSocket } from 'ws';
import type { Recogniser } from './recognise.ts';
import type { Heard } from './results.ts';

interface Answer {
  readonly type: string;
  readonly is_final?: boolean;
  /** Seconds of the sound that was sent. */
  readonly start?: number;
  readonly duration?: number;
  readonly channel?: { readonly alternatives?: readonly { readonly transcript?: string }[] };
}

/**
 * A live connection of Deepgram: samples as binary messages, results as JSON. Deepgram closes a connection that brings nothing for
 * 10 s (NET-0001). `KeepAlive` prevents that, and takes no time of the sound.
 *
 * @param url `wss://api.deepgram.com/v1/listen?encoding=linear16&sample_rate=16000&channels=1`, with your model and language
 * @see https://developers.deepgram.com/docs/audio-keep-alive
 */
export async function connectDeepgram(url: string, apiKey: string): Promise<Recogniser> {
  const socket = new WebSocket(url, { headers: { Authorization: `Token ${apiKey}` } });
  await once(socket, 'open');
  // From here on, so that no result comes before somebody listens.
  const messages = on(socket, 'message', { close: ['close'] });
  let closeCode = 0;
  socket.once('close', (code) => {
    closeCode = code;
  });
  // Answered when the network has taken it, which is the back-pressure.
  const say = (data: string | Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      socket.send(data, (error) => (error ? reject(error) : resolve()));
    });

  async function* results(): AsyncGenerator<Heard> {
    for await (const [data] of messages) {
      const {
        type,
        is_final,
        start = 0,
        duration = 0,
        channel,
      } = JSON.parse(String(data)) as Answer;
      const text = channel?.alternatives?.[0]?.transcript ?? '';
      if (type !== 'Results' || !is_final || text === '') continue;
      yield { fromMs: start * 1000, toMs: (start + duration) * 1000, text };
    }
    // Closed by Deepgram because it was told to, and had sent everything.
    if (closeCode !== 1_000) throw new Error(`Deepgram's connection was closed with ${closeCode}`);
  }

  return {
    results: results(),
    send: (samples) => say(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)),
    async keepAlive() {
      await say('{"type":"KeepAlive"}');
      return 0;
    },
    async finish() {
      // Deepgram sends the last results, then it closes.
      await say('{"type":"CloseStream"}');
    },
    close: () => socket.terminate(),
  };
}
