import type { SentReport } from '../simulator/sent-ledger.ts';
import { type Child, startChild, stopChild } from './child.ts';
import type { ZoomCredentials } from './options.ts';

const STOP_GRACE_MS = 5_000;

/** The Zoom simulator as a process of its own, playing one scripted meeting. */
export interface SimulatedMeeting {
  readonly rtmsStreamId: string;
  /** What Zoom sent so far. */
  sent(): Promise<SentReport>;
  /** Settles when the meeting is over on Zoom's side. */
  readonly finished: Promise<void>;
  close(): Promise<void>;
}

/**
 * @param forms seed of the forms in which this Zoom speaks, see simulator/scenario/forms.ts
 * @param onLine the simulator's own report, one JSON object a line
 */
export async function startSimulatedMeeting(
  webhookUrl: string,
  credentials: ZoomCredentials,
  forms: string,
  onLine: (line: string, json: Record<string, unknown> | undefined) => void,
): Promise<SimulatedMeeting> {
  const listening = Promise.withResolvers<string>();
  const started = Promise.withResolvers<string>();
  const finished = Promise.withResolvers<void>();
  const child: Child = startChild(
    'simulator/main.ts',
    // People keep their ids: each has files of their own.
    ['--webhook-url', webhookUrl, '--scenario', 'scripted', '--missing', 'vague'],
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
  // Whoever awaits the meeting's end hears of it; a stop before that is no failure.
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
