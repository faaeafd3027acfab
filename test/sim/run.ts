import { QUARANTINE_MS } from '../../runner/ownership/rules.ts';
import type { PutMode } from '../../shared/env.ts';
import { seededRandom } from '../../shared/seeded-random.ts';
import { Aws } from './aws/aws.ts';
import { drawClock, drawFate, type FaultName, fateAt, scheduleFaults } from './faults.ts';
import { Catcher } from './fleet/catcher.ts';
import { catcherEnvironment, runnerEnvironment } from './fleet/environment.ts';
import { Runners } from './fleet/runners.ts';
import { startWebhook, WEBHOOK_URL } from './fleet/webhook.ts';
import { startZoom } from './fleet/zoom.ts';
import { HeldLevels } from './held-levels.ts';
import type { HistoryEvent } from './history.ts';
import { planMeetings, scenarioOf } from './meetings.ts';
import { fetchInWorld } from './net/http.ts';
import { Recorder } from './recorder.ts';
import { createServices, type Weather } from './services.ts';
import { type FoundProblem, StreamJudge } from './stream-judge.ts';
import { Targets } from './targets.ts';
import { patchGlobals } from './world/globals.ts';
import { installLoader } from './world/loader.ts';
import { type Machine, seedOf } from './world/machine.ts';
import { Scheduler } from './world/scheduler.ts';
import { createWorld } from './world/world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly meetings: number;
  readonly hours: number;
  readonly faults: readonly FaultName[];
  /** How often faults come. @default 1 */
  readonly faultRate?: number;
  /** Faults and meetings that are left out, by their number. */
  readonly skip?: { readonly faults: ReadonlySet<number>; readonly meetings: ReadonlySet<number> };
  /** The SDK's own clients, or lean ones for long runs (aws/lean-client.ts). */
  readonly sdk: 'whole' | 'lean';
  /** Who makes the PutRecords calls: the runner's own writer, or the SDK. */
  readonly putRecords: PutMode;
  /** A stream whose events are told as they happen. */
  readonly watch?: { readonly rtmsStreamId: string; onEvent(event: HistoryEvent): void };
  /** Lines that processes write. */
  onLine?(process: string, line: string): void;
}

export interface RunResult {
  readonly recorder: Recorder;
  readonly problems: readonly FoundProblem[];
  /** How many there were, those that were left out included. */
  readonly faults: number;
  readonly meetings: number;
  /** As planned. */
  readonly meetingHours: number;
}

export const START_MS = Date.UTC(2026, 10, 27);
/** After the last meeting: drains, restarts and late webhooks come to their end, and streams that were in quarantine until then. */
const AFTER_MS = QUARANTINE_MS + 3 * 60_000;
const SECOND_MS = 1_000;
/** Streams that are over are judged this often. */
const JUDGE_MS = 600_000;
const CAPACITY = 400;
const SPOOL_MAX_BYTES = 64 * 1024 * 1024;
/** A lane holds 70 s of large frames, and this another minute of them: longer outages lose frames while their sessions go on. */
const SMALL_SPOOL_MAX_BYTES = 4 * 1024 * 1024;
/** How long ECS takes to start a task. */
const TASK_START_MS = 30_000;

/** Plays a fleet through its meetings in virtual time. Once in a process: it patches Node's globals. */
export async function runFleet(options: RunOptions): Promise<RunResult> {
  const { seed, meetings, hours, faults, skip } = options;
  const endMs = hours * 3_600 * SECOND_MS;
  /** No fault begins or lasts later, so that everything comes to its end. */
  const calmAtMs = START_MS + 60 * SECOND_MS + endMs;
  const untilMs = calmAtMs + AFTER_MS;
  const randomFor = (name: string) => seededRandom(seedOf(seed, name));
  const scheduler = new Scheduler(START_MS);
  const recorder = new Recorder(scheduler);
  recorder.watched = options.watch?.rtmsStreamId;
  recorder.onWatched = options.watch?.onEvent;
  const network = randomFor('network');
  const around = createWorld(scheduler, recorder, () => 1 + network() * 4);
  patchGlobals(scheduler, fetchInWorld);
  installLoader(options.sdk);
  if (options.sdk === 'whole') {
    const { warmSdk } = await import('./aws/warm-sdk.ts');
    await warmSdk(scheduler);
  }

  const weather: Weather = {
    awsFails: faults.includes('aws'),
    kinesisDownUntilMs: 0,
    indexLagMs: 100,
    doubled: 0,
  };
  around.isKinesisDown = () => scheduler.nowMs < weather.kinesisDownUntilMs;
  const services = createServices(scheduler, recorder, weather, randomFor('services'));
  const fates = randomFor('aws');
  around.aws = new Aws({
    scheduler,
    step: () => recorder.step,
    services: services.byName,
    fate: (machine, service) =>
      fateAt(
        machine,
        service,
        drawFate(weather.awsFails && scheduler.nowMs < calmAtMs, service, fates),
      ),
    sent: (call) => recorder.sent(call),
    heard: (call, _, outcome, error) => recorder.heard(call, outcome, error),
  });
  const line = (machine: Machine, text: string) => options.onLine?.(machine.name, text);

  const webhook = await startWebhook(scheduler, seed, 1, (text) => line(webhook, text));
  const zoom = await startZoom(scheduler, seed, {
    webhookUrls: [WEBHOOK_URL],
    concurrencyLimit: 100_000,
    onEvent: (event) => {
      if (event.kind === 'webhook') {
        const { delivery } = event;
        recorder.add({
          kind: 'webhook',
          rtmsStreamId: String(delivery.event.payload['rtms_stream_id'] ?? ''),
          event: delivery.event.event,
          status: delivery.attempts.at(-1)?.status || undefined,
        });
      } else recorder.zoom(event);
    },
  });
  around.onAnswer = (asker, { url }, status) => {
    const entry = zoom.simulator.api.requests.at(-1);
    if (!url.endsWith('/rtms_app/status') || entry?.action !== 'start') return;
    const { entityId, rtmsStreamId } = entry;
    const started = rtmsStreamId === undefined ? {} : { rtmsStreamId };
    recorder.add({ kind: 'restart', process: asker.name, entityId, status, ...started });
  };
  const { apiUrl, oauthUrl } = zoom.simulator;
  const spoolMaxBytes = faults.includes('small_spool') ? SMALL_SPOOL_MAX_BYTES : SPOOL_MAX_BYTES;
  const { putRecords } = options;
  const environment = { capacity: CAPACITY, apiUrl, oauthUrl, putRecords, spoolMaxBytes };
  services.ecs.desiredCount = Math.max(2, Math.ceil(meetings / 60));
  const startTasks = () => {
    for (let count = runners.live.size; count < (services.ecs.desiredCount ?? 0); count++)
      runners.start();
  };
  const runners: Runners = new Runners({
    seed,
    environment: (taskId) => runnerEnvironment(taskId, environment),
    clock: (name) => (faults.includes('clocks') ? drawClock(randomFor(`clock-${name}`)) : {}),
    onLine: line,
    onEnd: () => void scheduler.after(TASK_START_MS, undefined, startTasks),
  });
  services.ecs.onDesiredCount = startTasks;
  const catcher = new Catcher({
    seed,
    queue: services.queues.looks,
    environment: () => catcherEnvironment(environment),
    onLine: line,
  });
  startTasks();

  const held = new HeldLevels({ scheduler, recorder, runners, services });
  scheduler.after(50 * SECOND_MS, undefined, () => held.sample('before'));
  scheduler.at(untilMs - 10 * SECOND_MS, undefined, () => held.sample('after'));
  const planned = planMeetings(randomFor('meetings'), meetings, hours);
  for (const [number, meeting] of planned.entries()) {
    if (skip?.meetings.has(number)) continue;
    scheduler.after(60 * SECOND_MS + meeting.startMs, undefined, () =>
      zoom.act(
        (simulator) =>
          void simulator.start(
            scenarioOf(meeting, faults.includes('kinesis') || faults.includes('spool')),
          ),
      ),
    );
  }
  const targets = new Targets({ scheduler, recorder, runners, catcher, services, weather, zoom });
  const faultCount = scheduleFaults(
    seed,
    faults,
    targets,
    endMs,
    options.faultRate ?? 1,
    skip?.faults ?? new Set(),
  );
  const judging = new StreamJudge(recorder, faults.length === 0);
  const judge = () => {
    judging.judgeEnded(scheduler.nowMs);
    scheduler.after(JUDGE_MS, undefined, judge);
  };
  scheduler.after(JUDGE_MS, undefined, judge);
  await scheduler.run(() => scheduler.nowMs >= untilMs);
  recorder.add({ kind: 'end', seed });
  judging.end();
  return {
    recorder,
    problems: judging.problems,
    faults: faultCount,
    meetings: planned.length,
    meetingHours: planned.reduce((sum, { durationMs }) => sum + durationMs, 0) / 3_600_000,
  };
}
