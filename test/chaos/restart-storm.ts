import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../shared/seeded-random.ts';
import { EXAMPLE_API } from '../../simulator/api/api-server.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { AUDIO_ALONE, CREDENTIALS, startWorld, type World } from '../support/world.ts';
import { type PlannedRestart, planRestartStorm, type Trouble } from './restart-plan.ts';

/** Within this every end is gone on with or named, and Zoom is asked. */
const VERDICT_MS = 30_000;
const ASK_WITHIN_MS = 5_000;
/** How long the stream that continues another one lives. */
const SECOND_LIFE_MS = 4_000;
const LOOK_MS = 200;

export interface RestartStormOptions {
  readonly seed: number;
  readonly meetings: number;
  readonly runners: number;
  readonly stormMs: number;
  /** Whether there are credentials for Zoom's REST API. */
  readonly hasApi: boolean;
  /** How many times longer than promised everything may take, for a machine that does other things too. @default 1 */
  readonly slack?: number;
}

export interface RestartStormReport extends RestartStormOptions {
  readonly kills: number;
  readonly technical: number;
  readonly resumed: number;
  /** How many were named, by what the records say. */
  readonly named: Readonly<Record<string, number>>;
  /** From the end at Zoom to the first media of the stream that goes on, ms. */
  readonly resumedMs: { readonly median: number; readonly max: number };
  /** From the end in the records to the first request, ms; more than 5 s only where the task died that had claimed it. */
  readonly askedMs: { readonly median: number; readonly max: number };
  /** Requests by the simulator's books, and by ours: tries in the rows. A task killed after its claim has asked nothing. */
  readonly requestsSeen: number;
  readonly triesCounted: number;
  readonly tokens: number;
  /** What was wrong, in words: must be empty. */
  readonly problems: readonly string[];
}

/** One meeting of the storm, as far as it has come. */
interface Life {
  readonly plan: PlannedRestart;
  readonly rtmsStreamId: string;
  readonly entityId: string;
  endedAtMs?: number;
  verdict?: { readonly what: string; readonly afterMs: number };
  next?: string;
}

/** Plays a seeded storm of ends over real processes, and compares the simulator's books with the records and rows. */
export async function runRestartStorm(options: RestartStormOptions): Promise<RestartStormReport> {
  const { meetings, runners, stormMs, seed, hasApi, slack = 1 } = options;
  const plan = planRestartStorm(meetings, stormMs, seededRandom(seed));
  const { accountId, clientId, clientSecret } = EXAMPLE_API;
  await using world = await startWorld({
    runners,
    media: AUDIO_ALONE,
    credentials: { ...CREDENTIALS, ...(hasApi && { api: { accountId, clientId, clientSecret } }) },
  });
  const lives: Life[] = [];
  const storm = new AbortController();
  const playing = plan.meetings.map((planned) => play(world, planned, lives));
  let kills = 0;
  const killing = plan.kills.map(async ({ atMs, pick }) => {
    await sleep(atMs);
    const { runners: alive } = world.stack.fleet;
    const runner = alive[Math.floor(pick * alive.length)];
    if (runner === undefined || alive.length < 2) return;
    process.kill(runner.pid, 'SIGKILL');
    kills += 1;
  });
  const watching = watch(world, lives, storm.signal);
  await Promise.all([...playing, ...killing]);
  const isDone = () => lives.every((life) => !life.plan.isTechnical || life.verdict !== undefined);
  await world
    .until('a verdict on every end', isDone, 2 * slack * VERDICT_MS)
    .catch(() => undefined);
  // Without credentials no stream goes on, and none has a second life.
  if (hasApi) await sleep(SECOND_LIFE_MS);
  storm.abort();
  await watching;
  return { ...options, kills, ...(await judge(world, lives, { kills, hasApi, slack })) };
}

async function play(world: World, plan: PlannedRestart, lives: Life[]): Promise<void> {
  await sleep(plan.startAtMs);
  const rtmsStreamId = world.simulator.start(scenarioOf(plan.trouble));
  if (rtmsStreamId === undefined) return;
  const { entityId = '' } =
    world.simulator.streams().find((stream) => stream.rtmsStreamId === rtmsStreamId) ?? {};
  const life: Life = { plan, rtmsStreamId, entityId };
  lives.push(life);
  await sleep(plan.livesMs);
  // Only what was recorded can be said to go on.
  await world
    .until('recorded', () => started(world, rtmsStreamId) !== undefined, 2 * VERDICT_MS)
    .catch(() => undefined);
  life.endedAtMs = Date.now();
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: plan.stopReason });
}

function scenarioOf(trouble: Trouble): ScenarioInput {
  const api: Record<Trouble, ScenarioInput['api']> = {
    none: {},
    stop_withheld: {},
    start_withheld: { withheld: [['started'], ['started'], ['started']] },
    refused: { answers: [{ status: 400, code: 2308, message: 'Not allowed to start RTMS app.' }] },
    unanswered: { answers: [{ status: 0 }] },
  };
  return {
    name: 'restart storm',
    durationMs: 3_600_000,
    participants: [],
    withheld: trouble === 'stop_withheld' ? ['stopped'] : [],
    api: api[trouble],
  };
}

function started(world: World, rtmsStreamId: string) {
  return world.eventsOf(rtmsStreamId).find(({ name }) => name === 'session_started');
}

/** Notes for every end what became of it, and ends what goes on. */
async function watch(world: World, lives: readonly Life[], signal: AbortSignal): Promise<void> {
  let seen = 0;
  const byId = new Map<string, Life>();
  while (!signal.aborted) {
    for (const life of lives) byId.set(life.rtmsStreamId, life);
    for (; seen < world.events.length; seen++) {
      const event = world.events[seen];
      if (event === undefined) break;
      const atMs = event.time.getTime();
      if (event.name === 'session_started' && event.data.continues !== undefined) {
        const life = byId.get(event.data.continues.rtmsStreamId);
        if (life === undefined || life.next !== undefined) continue;
        life.next = event.rtmsStreamId;
        life.verdict = { what: 'resumed', afterMs: atMs - (life.endedAtMs ?? atMs) };
        void sleep(SECOND_LIFE_MS).then(() =>
          world.simulator.act(event.rtmsStreamId, { do: 'stop', reason: 6 }),
        );
      }
      const life = byId.get(event.rtmsStreamId);
      if (life === undefined || life.verdict !== undefined) continue;
      const name = nameOfEnd(event);
      if (name !== undefined)
        life.verdict = { what: name, afterMs: Date.now() - (life.endedAtMs ?? atMs) };
    }
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** What an event says for good about an end that nobody goes on with. */
function nameOfEnd(event: World['events'][number]): string | undefined {
  if (event.name === 'session_restart') {
    const { outcome, reason } = event.data;
    if (outcome === 'requested' || outcome === 'delayed') return undefined;
    return reason === undefined ? outcome : `${outcome} ${reason}`;
  }
  if (event.name !== 'session_ended') return undefined;
  const { restart, stopReason } = event.data;
  if (restart === 'wanted') return undefined;
  return restart ?? (stopReason === undefined ? 'no reason' : 'deliberate');
}

const EXPECTED: Readonly<Record<Trouble, readonly string[]>> = {
  none: ['resumed'],
  unanswered: ['resumed'],
  // An owner that dies at that moment is the only one that Zoom has told.
  stop_withheld: ['resumed', 'no reason'],
  start_withheld: ['unheard'],
  refused: ['refused not_allowed'],
};

async function judge(
  world: World,
  lives: readonly Life[],
  {
    kills,
    hasApi,
    slack,
  }: { readonly kills: number; readonly hasApi: boolean; readonly slack: number },
) {
  const problems: string[] = [];
  const named: Record<string, number> = {};
  const times: number[] = [];
  const waits: number[] = [];
  const books = Map.groupBy(world.simulator.api.requests, ({ entityId }) => entityId);
  let tries = 0;
  for (const { plan, rtmsStreamId, entityId, verdict, next } of lives) {
    const where = `${rtmsStreamId} (${plan.stopReason}, ${plan.trouble})`;
    const asked = books.get(entityId) ?? [];
    const { what = 'nothing', afterMs = 0 } = verdict ?? {};
    const end = world.eventsOf(rtmsStreamId).find(({ name }) => name === 'session_ended');
    if (asked[0] !== undefined && end !== undefined) waits.push(asked[0].atMs - end.time.getTime());
    if (!plan.isTechnical) {
      if (asked.length > 0 || next !== undefined) problems.push(`${where}: restarted`);
      continue;
    }
    const expected = hasApi ? EXPECTED[plan.trouble] : ['no_credentials', 'no reason'];
    if (!expected.includes(what)) problems.push(`${where}: ${what}, not ${expected.join(' or ')}`);
    if (what === 'no reason' && plan.trouble !== 'stop_withheld')
      problems.push(`${where}: no reason`);
    if (afterMs > slack * VERDICT_MS) problems.push(`${where}: ${what} after ${afterMs} ms`);
    if (what === 'resumed') times.push(afterMs);
    else named[what] = (named[what] ?? 0) + 1;
    const counted = (await world.row(rtmsStreamId)).restart?.tries ?? 0;
    tries += counted;
    if (asked.length > counted)
      problems.push(`${where}: ${asked.length} requests, ${counted} tries`);
    const granted = asked.filter(({ status }) => status === 204);
    if (what === 'resumed' && granted.length !== 1) {
      problems.push(`${where}: ${granted.length} streams were started`);
    }
    if (
      asked.some(({ status }, index) => status === 400 && plan.trouble !== 'refused' && index > 0)
    ) {
      problems.push(`${where}: asked for while a stream was live`);
    }
  }
  const requestsSeen = world.simulator.api.requests.length;
  if (tries - requestsSeen > kills) problems.push(`${tries} tries, ${requestsSeen} requests`);
  if (!hasApi && requestsSeen + world.simulator.api.tokens > 0) problems.push('Zoom was asked');
  const late = waits.filter((waitMs) => waitMs > slack * ASK_WITHIN_MS).length;
  if (late > kills) problems.push(`${late} were asked for later than ${ASK_WITHIN_MS} ms`);
  return {
    technical: lives.filter(({ plan }) => plan.isTechnical).length,
    resumed: times.length,
    named,
    resumedMs: spread(times),
    askedMs: spread(waits),
    requestsSeen,
    triesCounted: tries,
    tokens: world.simulator.api.tokens,
    problems,
  };
}

function spread(values: number[]): { readonly median: number; readonly max: number } {
  values.sort((a, b) => a - b);
  return { median: values[values.length >> 1] ?? 0, max: values.at(-1) ?? 0 };
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- restart-storm', {
    options: {
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      meetings: { type: 'string', default: '200' },
      runners: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '120' },
    },
  });
  let isGood = true;
  for (const hasApi of [true, false]) {
    const report = await runRestartStorm({
      seed: wholeNumber('seed', values.seed),
      meetings: wholeNumber('meetings', values.meetings),
      runners: wholeNumber('runners', values.runners),
      stormMs: wholeNumber('seconds', values.seconds) * 1_000,
      hasApi,
    });
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    isGood &&= report.problems.length === 0;
  }
  process.exitCode = isGood ? 0 : 1;
}
