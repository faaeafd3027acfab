import { setTimeout as delay } from 'node:timers/promises';
import { newSeed } from '../simulator/scenario/forms.ts';
import type { ScriptOptions } from '../simulator/scenario/scripted-meeting.ts';
import type { SentReport } from '../simulator/sent-ledger.ts';
import { type Child, startChild, stopChild, whenAborted } from './child.ts';
import type { DevOptions, ZoomCredentials } from './options.ts';
import type { Stack, StackOptions } from './stack.ts';

const STOP_GRACE_MS = 5_000;
/** How often a meeting of the demo plays its script: about 15 minutes. */
const DEMO_ROUNDS = 40;
const BETWEEN_MEETINGS_MS = 3_000;

/** The Zoom simulator in a process of its own, which plays one scripted meeting. */
export interface SimulatedMeeting {
  readonly rtmsStreamId: string;
  /** What the simulator has sent so far. */
  sent(): Promise<SentReport>;
  /** Resolves when the meeting is over on the side of the simulator. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

/**
 * @param forms seed of the message forms, see simulator/scenario/forms.ts
 * @param onLine called for every line of the simulator's report; each is one JSON object
 */
export async function startSimulatedMeeting(
  webhookUrl: string,
  credentials: ZoomCredentials,
  forms: string,
  onLine: (line: string, json: Record<string, unknown> | undefined) => void,
  script: ScriptOptions = {},
): Promise<SimulatedMeeting> {
  const listening = Promise.withResolvers<string>();
  const started = Promise.withResolvers<string>();
  const finished = Promise.withResolvers<void>();
  const child: Child = startChild(
    'simulator/main.ts',
    // `vague`, not `nameless`: participants keep their ids, and each id has files of its own.
    [
      '--webhook-url',
      webhookUrl,
      '--scenario',
      'scripted',
      '--missing',
      'vague',
      '--scenario-options',
      JSON.stringify(script),
    ],
    {
      SIMULATOR_FORMS: forms,
      ZM_RTMS_CLIENT: credentials.clientId,
      ZM_RTMS_SECRET: credentials.clientSecret,
      ZM_RTMS_WEBHOOK_SECRET: credentials.webhookSecretTokens[0] ?? '',
    },
    (line, json) => {
      onLine(line, json);
      if (json?.['kind'] === 'listening') listening.resolve(String(json['controlUrl']));
      if (json?.['kind'] === 'stream_started') started.resolve(String(json['rtmsStreamId']));
      if (json?.['kind'] === 'finished') finished.resolve();
    },
  );
  void child.exited.then(({ code }) => {
    const error = new Error(`the Zoom simulator ended early (exit code ${code})`);
    for (const waiting of [listening, started, finished]) waiting.reject(error);
  });
  // A run that is stopped does not wait for the end of the meeting, so nobody may be there to catch this.
  finished.promise.catch(() => undefined);
  const [controlUrl, rtmsStreamId] = await Promise.all([listening.promise, started.promise]);
  return {
    rtmsStreamId,
    finished: finished.promise,
    async sent() {
      const response = await fetch(`${controlUrl}/sent?stream=${rtmsStreamId}`);
      return (await response.json()) as SentReport;
    },
    close: async () => void (await stopChild(child, STOP_GRACE_MS)),
  };
}

/** Plays scripted meetings one after another until a signal comes. The page shows them; no files are written. */
export async function playDemo(
  { credentials }: DevOptions,
  stack: Stack,
  stopped: AbortSignal,
  log: StackOptions['onLog'],
): Promise<number> {
  while (!stopped.aborted) {
    const meeting = await startSimulatedMeeting(
      stack.webhookUrl,
      credentials,
      newSeed(),
      (line, json) => log('simulator', line, json),
      { rounds: DEMO_ROUNDS },
    );
    await Promise.race([whenAborted(stopped), meeting.finished]);
    await meeting.close();
    await delay(BETWEEN_MEETINGS_MS, undefined, { signal: stopped }).catch(() => undefined);
  }
  return 0;
}
