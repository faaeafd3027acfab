import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../shared/seeded-random.ts';
import { drawForms } from '../../simulator/scenario/forms.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { startWorld, type World } from '../support/world.ts';
import { type Blow, type PlannedMeeting, planRunnerStorm } from './runner-plan.ts';

/** After the storm: longest until every meeting has its end in the streams. */
const CALM_MS = 90_000;

export interface RunnerStormOptions {
  readonly seed: number;
  readonly meetings: number;
  readonly runners: number;
  readonly stormMs: number;
  /** With a catcher: how long a task takes to start. Unset: there is no catcher. */
  readonly taskStartMs?: number | undefined;
}

/** One change of owner, for the audio of one participant. */
interface Boundary {
  readonly cause: string;
  /** Audio that no record has, ms. */
  readonly missingMs: number;
}

export interface RunnerStormReport extends RunnerStormOptions {
  readonly blows: Readonly<Record<string, number>>;
  readonly epochs: number;
  /** Audio frames that Zoom sent, and those that could be read, each once. */
  readonly framesSent: number;
  readonly framesRead: number;
  readonly events: number;
  /** Explained by gap events. */
  readonly explained: number;
  /** Neither written nor explained, in words: must be empty. */
  readonly problems: readonly string[];
  /** Records of a lower epoch behind a higher one: the consumer's fence drops them. */
  readonly late: number;
  /** Audio missing where a stream changed hands, ms, by cause of the take-over. */
  readonly missingAudioMs: Readonly<Record<string, { count: number; median: number; max: number }>>;
  /**
   * Meetings that nobody recorded, and that say so. On a machine that is short of CPU, runners refuse starts because their
   * event loops are late, and a start whose message is lost too waits for longer than these meetings last.
   */
  readonly missed: number;
  /**
   * Meetings of which two owners in a row were killed within 3 s of their claims. Nobody claims them for ten minutes, which
   * is longer than this waits; the log and a metric name them.
   */
  readonly quarantined: number;
  /** Meetings that are not quarantined, with neither a `session_ended` nor a `session_missed`: must be empty. */
  readonly unended: readonly string[];
}

/** Plays a seeded storm over real processes and proves afterwards, from the streams alone, what came of it. */
export async function runRunnerStorm(options: RunnerStormOptions): Promise<RunnerStormReport> {
  const { meetings, blows } = planRunnerStorm(
    options.meetings,
    options.stormMs,
    seededRandom(options.seed),
    options.taskStartMs !== undefined,
  );
  await using world = await startWorld({
    runners: options.runners,
    ...(options.taskStartMs !== undefined && { catcher: { taskStartMs: options.taskStartMs } }),
    behaviour: {
      // One person a meeting: nobody has to be told apart.
      ...drawForms(String(options.seed), 'nameless'),
      keepAliveMs: 3_000,
      keepAliveOnlyWhenIdle: false,
    },
  });
  const live = new Set<string>();
  const started: string[] = [];
  const playing = meetings.map((meeting) => playMeeting(world, meeting, live, started));
  const counts: Record<string, number> = {};
  const striking = blows.map(async ({ atMs, blow }) => {
    await sleep(atMs);
    const what = await strike(world, blow, [...live]);
    if (what !== undefined) counts[what] = (counts[what] ?? 0) + 1;
  });
  await Promise.all([...playing, ...striking]);
  world.stack.aws.kinesis.faults.clear();
  const isEnded = (id: string) =>
    world.eventsOf(id).some(({ name }) => name === 'session_ended' || name === 'session_missed');
  const quarantined = () =>
    new Set(
      world.logs.flatMap(({ event, rtmsStreamId }) =>
        event === 'quarantined' && rtmsStreamId !== undefined && !isEnded(rtmsStreamId)
          ? [rtmsStreamId]
          : [],
      ),
    );
  const unendedNow = () => {
    const known = quarantined();
    return started.filter((id) => !isEnded(id) && !known.has(id));
  };
  await calm(world, () => unendedNow().length === 0 && world.ledger.report().ok);
  const report = world.ledger.report();
  return {
    ...options,
    blows: counts,
    epochs: new Set(world.events.map(({ rtmsStreamId, epoch }) => `${rtmsStreamId}/${epoch}`)).size,
    framesSent: started.reduce((sum, id) => sum + sentFrames(world, id), 0),
    framesRead: new Set(
      started.flatMap((id) =>
        world.framesOf(id).map(({ userId, capturedAtMs }) => `${id}/${userId}/${capturedAtMs}`),
      ),
    ).size,
    events: world.events.length,
    explained: report.sources.reduce((sum, { gapCount }) => sum + gapCount, 0),
    problems: report.problems,
    late: world.late.length,
    missingAudioMs: summarize(
      report.holes
        .filter(({ mediaType }) => mediaType === 'audio')
        .map(({ cause = 'unknown', fromMs, toMs }) => ({
          cause,
          missingMs: toMs - fromMs,
        })),
    ),
    missed: new Set(
      world.events
        .filter(({ name }) => name === 'session_missed')
        .map(({ rtmsStreamId }) => rtmsStreamId),
    ).size,
    quarantined: quarantined().size,
    unended: unendedNow(),
  };
}

async function playMeeting(
  world: World,
  meeting: PlannedMeeting,
  live: Set<string>,
  started: string[],
): Promise<void> {
  await sleep(meeting.startAtMs);
  const scenario = syntheticMeeting({
    participants: 1,
    durationMs: 3_600_000,
    transcriptEveryMs: 1_000,
  });
  const id = world.simulator.start(scenario);
  if (id === undefined) return;
  started.push(id);
  live.add(id);
  await sleep(meeting.durationMs);
  live.delete(id);
  world.simulator.act(id, { do: 'stop', reason: meeting.stopReason });
}

function sentFrames(world: World, id: string): number {
  return world.simulator.sent(id).sources.reduce((sum, { frames }) => sum + frames, 0);
}

/** @returns what was done, or undefined when there was nobody to do it to */
async function strike(world: World, blow: Blow, live: string[]): Promise<string | undefined> {
  const { aws, fleet, catcher } = world.stack;
  const executions = () => catcher?.function.running ?? [];
  switch (blow.kind) {
    case 'kill catcher': {
      const pid = at(executions(), blow.pick);
      if (pid === undefined) return undefined;
      process.kill(pid, 'SIGKILL');
      return blow.kind;
    }
    case 'freeze catcher': {
      const pid = at(executions(), blow.pick);
      if (pid === undefined) return undefined;
      process.kill(pid, 'SIGSTOP');
      await sleep(blow.forMs);
      // One that was killed meanwhile is gone; one that is idle stays frozen.
      if (executions().includes(pid)) process.kill(pid, 'SIGCONT');
      return blow.kind;
    }
    case 'kill':
    case 'sigterm': {
      const runner = at(fleet.runners, blow.pick);
      if (runner === undefined) return undefined;
      process.kill(runner.pid, blow.kind === 'kill' ? 'SIGKILL' : 'SIGTERM');
      return blow.kind;
    }
    case 'freeze': {
      const runner = at(fleet.runners, blow.pick);
      if (runner === undefined) return undefined;
      process.kill(runner.pid, 'SIGSTOP');
      await sleep(blow.forMs);
      if (fleet.runners.some(({ pid }) => pid === runner.pid)) process.kill(runner.pid, 'SIGCONT');
      return blow.kind;
    }
    case 'outage': {
      const proxy = aws.faults[blow.service];
      proxy.mode = blow.mode;
      await sleep(blow.forMs);
      proxy.mode = 'pass';
      return `${blow.service} ${blow.mode}`;
    }
    case 'kinesis':
      aws.kinesis.faults.set({ rules: [blow.rule] });
      return `kinesis ${blow.name}`;
    case 'zoom': {
      const id = at(live, blow.pick);
      if (id === undefined) return undefined;
      world.simulator.act(id, blow.action);
      return `zoom ${blow.action.do}`;
    }
  }
}

function at<T>(list: readonly T[], pick: number): T | undefined {
  return list[Math.floor(pick * list.length)];
}

async function calm(world: World, isCalm: () => boolean): Promise<void> {
  await world.until('calm after the storm', isCalm, CALM_MS).catch(() => undefined);
}

function summarize(boundaries: readonly Boundary[]): RunnerStormReport['missingAudioMs'] {
  const byCause = Map.groupBy(boundaries, ({ cause }) => cause);
  return Object.fromEntries(
    [...byCause].map(([cause, all]) => {
      const sorted = all.map(({ missingMs }) => missingMs).sort((a, b) => a - b);
      const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
      return [cause, { count: sorted.length, median, max: sorted.at(-1) ?? 0 }];
    }),
  );
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- runners', {
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      meetings: { type: 'string', default: '30' },
      runners: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '120' },
      // With a catcher: `--task-start-seconds 20 --runners 0`.
      'task-start-seconds': { type: 'string' },
    },
  });
  const { 'task-start-seconds': startSeconds } = values;
  const report = await runRunnerStorm({
    seed: wholeNumber('seed', values.seed),
    meetings: wholeNumber('meetings', values.meetings),
    runners: wholeNumber('runners', values.runners),
    stormMs: wholeNumber('seconds', values.seconds) * 1_000,
    taskStartMs:
      startSeconds === undefined
        ? undefined
        : wholeNumber('task-start-seconds', startSeconds) * 1_000,
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = report.problems.length + report.unended.length === 0 ? 0 : 1;
}
