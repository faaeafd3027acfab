import { beforeEach, expect, test } from 'vitest';
import { ZoomApi } from '../../../rtms/api/zoom-api.ts';
import { type SessionRow, UNOWNED } from '../../../shared/session-table/session-row.ts';
import { EXAMPLE_API } from '../../../simulator/api/api-server.ts';
import { type ManualClock, manualClock } from '../../../simulator/clock.ts';
import type { ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../../test/support/session/local-session-table.ts';
import { Told } from '../../../test/support/session/session-parts.ts';
import { judgeRow } from '../../ownership/rules.ts';
import { missedLines } from '../missed-streams.ts';
import { LiveMeetings, type LiveMeetingsOptions } from './live-meetings.ts';

let table: LocalSessionTable;
let simulator: Simulator;
let told: Told;
let clock: ManualClock;
beforeEach(async () => {
  clock = manualClock(Date.now());
  [table, simulator, told] = [
    await startSessionTable(),
    await startSimulator({ clock }),
    new Told(),
  ];
  return async () => {
    await Promise.all([table[Symbol.asyncDispose](), simulator.close()]);
  };
});

function lookFrom(taskId: string, mode: LiveMeetingsOptions['mode']): Promise<void> {
  const { logger, metrics } = told;
  const { apiUrl, oauthUrl } = simulator;
  const api = new ZoomApi({ credentials: EXAMPLE_API, addresses: { apiUrl, oauthUrl } });
  return new LiveMeetings({
    taskId,
    mode,
    store: table.store,
    apis: () => new Map([['default', api]]),
    credentials: async () => EXAMPLE_APP,
    now: () => clock.now(),
    logger,
    metrics,
  }).look();
}

const open = (entityId: string, fields: Partial<ScenarioInput> = {}) =>
  simulator.openMeeting({ name: 'm', durationMs: 600_000, participants: [], ...fields, entityId });
const unknown = () =>
  told.lines
    .filter(({ fields }) => fields['event'] === 'meeting_unknown')
    .map(({ fields }) => `${fields['entityId']} ${fields['outcome']}`);
const FIVE_MINUTES = 300_000;

test('a live meeting without a row is reported once, by one task', async () => {
  for (const entityId of ['missed', 'known', 'ended']) open(entityId);
  open('webinar', { product: 'webinar' });
  await table.start('a', { entityId: 'known' });
  await table.start('b', { entityId: 'ended', endedReason: 6, endedStartEventTsMs: 1_000 });
  clock.advance(120_000);
  open('begins');
  await Promise.all(['x', 'y', 'z'].map((taskId) => lookFrom(taskId, 'report')));
  expect(unknown()).toEqual(['missed reported', 'webinar reported']);
  expect(simulator.api).toMatchObject({ lists: 2, requests: [] });
  expect(told.counts).toEqual(['LiveMeetingsUnknown/reported', 'LiveMeetingsUnknown/reported']);
  clock.advance(FIVE_MINUTES);
  await lookFrom('y', 'report');
  expect(simulator.api.lists).toBe(4);
  expect(unknown().slice(2)).toEqual(['begins reported']);
});

test('its stream is asked for once', async () => {
  open('missed');
  for (let period = 0; period < 3; period++) {
    clock.advance(FIVE_MINUTES);
    await lookFrom('x', 'start');
  }
  // No webhook reaches the table here: a stream that Zoom agreed to and that does not come is missed.
  expect(unknown()).toEqual(['missed requested', 'missed reported']);
  expect(simulator.api.requests).toMatchObject([{ action: 'start', status: 204 }]);
  expect(simulator.streams()).toMatchObject([{ entityId: 'missed' }]);
});

test.each([
  ['not allowed', { status: 400, code: 2308 }, 3, ['refused']],
  ['busy', { status: 503 }, 2, ['delayed', 'requested']],
])('when Zoom says that it is %s', async (_what, answer, periods, outcomes) => {
  open('missed', { api: { answers: [answer] } });
  for (let period = 0; period < periods; period++) {
    clock.advance(FIVE_MINUTES);
    await lookFrom('x', 'start');
  }
  expect(unknown()).toEqual(outcomes.map((outcome) => `missed ${outcome}`));
  expect(simulator.api.requests).toHaveLength(outcomes.length);
});

test('a Zoom that is always busy is asked for a meeting three times', async () => {
  open('missed', { api: { answers: Array.from({ length: 9 }, () => ({ status: 503 })) } });
  for (let period = 0; period < 6; period++) {
    clock.advance(FIVE_MINUTES);
    await lookFrom('x', 'start');
  }
  expect(simulator.api.requests).toHaveLength(3);
  expect(unknown().at(-1)).toBe('missed reported');
});

test('the row of a missed meeting makes whoever finds it write session_missed', async () => {
  open('missed', { meetingId: '81234567890' });
  clock.advance(120_000);
  await lookFrom('x', 'report');
  const [row] = await table.store.sessionsOf(UNOWNED);
  expect(row).toMatchObject({ untold: true, entityId: 'missed' });
  const verdict = judgeRow(
    row as SessionRow,
    { taskId: 'x', hasSession: false, nowMs: clock.now() },
    () => false,
  );
  expect(verdict).toMatchObject({ act: 'tell' });
  const [line, ...others] = missedLines(row as SessionRow);
  expect(others).toEqual([]);
  expect(JSON.parse(String(line?.bytes))).toMatchObject({
    type: 'rtms.session_missed.v1',
    source: '/zoom/meeting/missed',
    data: { reason: 'not_announced', meetingId: '81234567890' },
  });
});
