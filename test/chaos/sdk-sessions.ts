import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { startChild, stopChild } from '../../local/child.ts';
import {
  Client,
  configureLogger,
  onWebhookEvent,
  type WebhookEvent,
} from '../../sdk/client/index.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';

export interface SessionsReport {
  /** Sessions that joined, got audio, and left; one after another. */
  readonly sequential: number;
  /** The same, all at once. */
  readonly concurrent: number;
  readonly frames: number;
  /** Live heap after the sequential sessions, less that after the first tenth of them. */
  readonly heapGrowthBytes: number;
  /** Live heap after the concurrent sessions, less that before them. */
  readonly concurrentGrowthBytes: number;
}

/** Frames that a session waits for before it leaves. */
const FRAMES = 5;
const MEETING = syntheticMeeting({ participants: 1, durationMs: 3_600_000 });

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Runs RTMS sessions through the SDK in this one process, webhook to leave, against the simulator in
 * another one: `sequential` one after another, then `concurrent` at once.
 */
export async function runSdkSessions(options: {
  readonly sequential: number;
  readonly concurrent: number;
}): Promise<SessionsReport> {
  configureLogger({ enabled: false });
  const program = new Program();
  const webhooks = onWebhookEvent((event) => program.receive(event), {
    port: 0,
    path: '/',
    webhookSecret: EXAMPLE_APP.webhookSecretToken,
  });
  const { port } = await webhooks.ready;
  const zoom = await startZoom(`http://127.0.0.1:${port}/`);
  try {
    const warmUp = Math.ceil(options.sequential / 10);
    for (let number = 0; number < warmUp; number++) await program.session(zoom.start);
    const warmBytes = heapBytes();
    for (let number = warmUp; number < options.sequential; number++) {
      await program.session(zoom.start);
    }
    const sequentialBytes = heapBytes();
    await Promise.all(
      Array.from({ length: options.concurrent }, () => program.session(zoom.start)),
    );
    return {
      ...options,
      ...program.counts,
      heapGrowthBytes: sequentialBytes - warmBytes,
      concurrentGrowthBytes: heapBytes() - sequentialBytes,
    };
  } finally {
    await zoom.stop();
    await webhooks.close();
  }
}

/** The program under test: joins what starts and leaves after a few frames. */
class Program {
  readonly counts = { frames: 0 };
  readonly #left = new Map<string, () => void>();
  #started = 0;

  /** One session, from its start at Zoom until it was left. */
  async session(start: (rtmsStreamId: string) => Promise<unknown>): Promise<void> {
    this.#started += 1;
    const rtmsStreamId = `session-${this.#started}`;
    const left = Promise.withResolvers<void>();
    this.#left.set(rtmsStreamId, left.resolve);
    await start(rtmsStreamId);
    await left.promise;
  }

  async receive({ event, payload }: WebhookEvent): Promise<void> {
    if (event !== 'meeting.rtms_started') return;
    const rtmsStreamId = payload.rtms_stream_id ?? '';
    await using client = new Client({ allowedHosts: '127.0.0.1' });
    const enough = Promise.withResolvers<void>();
    let frames = 0;
    client.onAudioData(() => {
      this.counts.frames += 1;
      frames += 1;
      if (frames === FRAMES) enough.resolve();
    });
    client.join({ ...payload, client: EXAMPLE_APP.clientId, secret: EXAMPLE_APP.clientSecret });
    await enough.promise;
    await client.leave({ closeStream: true });
    this.#left.get(rtmsStreamId)?.();
    this.#left.delete(rtmsStreamId);
  }
}

async function startZoom(webhookUrl: string) {
  const listening = Promise.withResolvers<string>();
  const args = ['--webhook-url', webhookUrl, '--missing', 'nameless'];
  const child = startChild('simulator/main.ts', args, {}, (_line, json) => {
    if (json?.['kind'] === 'listening') listening.resolve(String(json['controlUrl']));
  });
  const controlUrl = await listening.promise;
  return {
    async start(rtmsStreamId: string): Promise<void> {
      const body = JSON.stringify({ ...MEETING, rtmsStreamId });
      const response = await fetch(`${controlUrl}/scenarios`, { method: 'POST', body });
      if (response.status !== 201) throw new Error(`the simulator answered ${response.status}`);
      await response.arrayBuffer();
    },
    stop: () => stopChild(child, 2_000),
  };
}

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- sdk-sessions', {
    options: {
      sequential: { type: 'string', default: '500' },
      concurrent: { type: 'string', default: '200' },
    },
  });
  const report = await runSdkSessions({
    sequential: wholeNumber('sequential', values.sequential),
    concurrent: wholeNumber('concurrent', values.concurrent),
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}
