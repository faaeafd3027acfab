import { LocalEcs } from '../../local/aws/ecs.ts';
import { AwsError, type AwsOperation } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { seededRandom } from '../../shared/seeded-random.ts';
import { Aws, Refusal, type Service } from './aws/aws.ts';
import { MemoryTable } from './aws/dynamodb.ts';
import { MemoryKinesis } from './aws/kinesis.ts';
import { MemoryQueue, sqsService } from './aws/sqs.ts';
import { drawFate, type FaultName, type FaultTargets, scheduleFaults } from './faults.ts';
import { Catcher } from './fleet/catcher.ts';
import { catcherEnvironment, runnerEnvironment, zoomSecrets } from './fleet/environment.ts';
import { Runners, type SimulatedRunner } from './fleet/runners.ts';
import { startWebhook, WEBHOOK_URL } from './fleet/webhook.ts';
import { startZoom } from './fleet/zoom.ts';
import { planMeetings, scenarioOf } from './meetings.ts';
import { fetchInWorld } from './net/http.ts';
import { Recorder } from './recorder.ts';
import { type FoundProblem, StreamJudge } from './stream-judge.ts';
import { patchGlobals } from './world/globals.ts';
import { installLoader } from './world/loader.ts';
import { type Machine, seedOf } from './world/machine.ts';
import { Scheduler } from './world/scheduler.ts';
import { createWorld, world } from './world/world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly meetings: number;
  readonly hours: number;
  readonly faults: readonly FaultName[];
  /** The SDK's own clients, or lean ones for long runs (aws/lean-client.ts). */
  readonly sdk: 'whole' | 'lean';
  /** Lines that processes write. */
  onLine?(process: string, line: string): void;
}

export interface RunResult {
  readonly recorder: Recorder;
  readonly problems: readonly FoundProblem[];
  /** Unix ms. */
  readonly startMs: number;
}

const START_MS = Date.UTC(2026, 10, 27);
/** After the last meeting: drains, restarts and late webhooks come to their end. */
const AFTER_MS = 10 * 60_000;
const SECOND_MS = 1_000;
/** A call that has been open for so long is not one that happens to be under way. */
const STUCK_MS = 30 * SECOND_MS;
/** Streams that are over are judged this often. */
const JUDGE_MS = 600_000;
const CAPACITY = 400;
/** How long ECS takes to start a task. */
const TASK_START_MS = 30_000;

/** Plays a fleet through its meetings in virtual time. Once in a process: it patches Node's globals. */
export async function runFleet(options: RunOptions): Promise<RunResult> {
  const { seed, meetings, hours, faults } = options;
  const randomFor = (name: string) => seededRandom(seedOf(seed, name));
  const scheduler = new Scheduler(START_MS);
  const recorder = new Recorder(scheduler);
  const network = randomFor('network');
  const around = createWorld(scheduler, recorder, () => 1 + network() * 4);
  patchGlobals(scheduler, fetchInWorld);
  installLoader(options.sdk);

  const services = createServices(scheduler, recorder, randomFor('services'));
  const fates = randomFor('aws');
  around.aws = new Aws({
    scheduler,
    step: () => recorder.step,
    services: services.byName,
    fate: (_, service) => drawFate(faults.includes('aws'), service, fates),
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
  const environment = { capacity: CAPACITY, apiUrl, oauthUrl };
  services.ecs.desiredCount = Math.max(2, Math.ceil(meetings / 60));
  const startTasks = () => {
    for (let count = runners.live.size; count < (services.ecs.desiredCount ?? 0); count++)
      runners.start();
  };
  const runners: Runners = new Runners({
    seed,
    environment: (taskId) => runnerEnvironment(taskId, environment),
    clock: () => ({}),
    onLine: line,
    onEnd: () => scheduler.after(TASK_START_MS, undefined, startTasks),
  });
  services.ecs.onDesiredCount = startTasks;
  const catcher = new Catcher({
    seed,
    queue: services.queues.looks,
    environment: () => catcherEnvironment(environment),
    onLine: line,
  });
  startTasks();

  const noteHeld = (when: 'before' | 'after') => {
    const owners = [...services.table.rows().values()].map((row) => row?.['owner']);
    for (const { machine, taskId, isDraining } of runners.live) {
      if (isDraining) continue;
      const { timers, sockets, disk } = machine;
      const stuck = [...machine.calls].filter(
        ({ sinceMs }) => scheduler.nowMs - sinceMs > STUCK_MS,
      );
      recorder.add({
        kind: 'held',
        process: machine.name,
        when,
        sessions: owners.filter((owner) => owner === taskId).length,
        timers,
        sockets,
        calls: stuck.length,
        bufferedBytes: 0,
        spoolBytes: disk.bytes,
      });
    }
  };
  scheduler.after(55 * SECOND_MS, undefined, () => noteHeld('before'));
  const endMs = hours * 3_600 * SECOND_MS;
  for (const meeting of planMeetings(randomFor('meetings'), meetings, hours)) {
    scheduler.after(60 * SECOND_MS + meeting.startMs, undefined, () =>
      zoom.act((simulator) => void simulator.start(scenarioOf(meeting))),
    );
  }
  scheduleFaults(faults, targetsOf(runners, scheduler, recorder), randomFor('faults'), endMs);
  const untilMs = scheduler.nowMs + 60 * SECOND_MS + endMs + AFTER_MS;
  const judging = new StreamJudge(recorder);
  const judge = () => {
    judging.judgeEnded(scheduler.nowMs);
    scheduler.after(JUDGE_MS, undefined, judge);
  };
  scheduler.after(JUDGE_MS, undefined, judge);
  await scheduler.run(() => scheduler.nowMs >= untilMs);
  void catcher;
  noteHeld('after');
  recorder.add({ kind: 'end', seed });
  judging.end();
  return { recorder, problems: judging.problems, startMs: START_MS };
}

function targetsOf(runners: Runners, scheduler: Scheduler, recorder: Recorder): FaultTargets {
  const pick = (random: () => number): SimulatedRunner | undefined => {
    const ready = [...runners.live].filter(
      ({ isReady, machine }) => isReady && machine.state === 'running',
    );
    return ready[Math.floor(random() * ready.length)];
  };
  return {
    after: (delayMs, run) => void scheduler.after(delayMs, undefined, run),
    kill(random) {
      const runner = pick(random);
      if (runner) runners.kill(runner);
      return runner && `kill -9 of ${runner.machine.name}`;
    },
    killAtEffect(random) {
      const runner = pick(random);
      if (runner === undefined) return undefined;
      const effects = Math.floor(random() * 40);
      runner.machine.effectsLeft = effects;
      runner.machine.onKilledByEffect = () => runners.kill(runner);
      return `kill -9 of ${runner.machine.name} after ${effects} more sends`;
    },
    freeze(random, durationMs) {
      const runner = pick(random);
      if (runner) runners.freeze(runner, durationMs);
      return runner && `${runner.machine.name} freezes for ${Math.round(durationMs)} ms`;
    },
    breakLink(random, how) {
      const links = [...world().links];
      const link = links[Math.floor(random() * links.length)];
      if (link === undefined) return undefined;
      if (how === 'break') link.break();
      else link.goSilent();
      const what = how === 'break' ? 'breaks' : 'goes silent';
      return `socket ${link.id} of ${link.client.machine.name} ${what}`;
    },
    note: (fault, words) => void recorder.add({ kind: 'fault', fault, words }),
  };
}

function createServices(scheduler: Scheduler, recorder: Recorder, random: () => number) {
  const nowMs = () => scheduler.nowMs;
  const after = (delayMs: number, run: () => void) => void scheduler.after(delayMs, undefined, run);
  const table = new MemoryTable({
    indexLagMs: () => 5 + random() * 100,
    after,
    applied: (call, what) => recorder.row(call, what),
  });
  const queue = (visibilityMs: number) =>
    new MemoryQueue({ visibilityMs, maxReceives: 5, nowMs, after, isDoubled: () => false });
  const queues = { jobs: queue(30_000), looks: queue(960_000) };
  const kinesis = new MemoryKinesis({
    nowMs,
    entryError: () => undefined,
    stored: (call, entries) => recorder.stored(call, entries),
  });
  const [ecs, secrets] = [new LocalEcs(), new LocalSecrets()];
  for (const [id, value] of Object.entries(zoomSecrets())) secrets.put(id, value);
  const byName: Record<string, Service> = {
    DynamoDB_20120810: table.service,
    AmazonSQS: sqsService(queues),
    Kinesis_20131202: kinesis.service,
    AmazonEC2ContainerServiceV20141113: fromLocal(
      'AmazonEC2ContainerServiceV20141113',
      ecs.operations(),
    ),
    secretsmanager: fromLocal('secretsmanager', secrets.operations()),
  };
  return { byName, table, queues, kinesis, ecs, secrets };
}

/** A service of the local stack, without its HTTP. */
function fromLocal(name: string, operations: ReadonlyMap<string, AwsOperation>): Service {
  return ({ operation, input }, reply) => {
    const run = operations.get(`${name}.${operation}`);
    if (run === undefined) throw new Error(`${name} has no ${operation}`);
    try {
      reply(run(input) as object);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new Refusal(error.type, error.message);
    }
  };
}
