import { readFileSync, writeFileSync } from 'node:fs';
import { seededRandom } from '../../shared/seeded-random.ts';
import { slotsOfRequest } from '../../shared/session-table/slots.ts';
import { fromRoot } from '../bundling/bundle-options.ts';
import { readConfig } from '../config/schema.ts';
import { DEV } from '../config/stages.ts';
import { costPerHour, meetingHours, taskHour } from '../planning/cost-model.ts';
import { HOURS_PER_MONTH } from '../planning/prices.ts';
import { leastTasks } from '../planning/scaling-rules.ts';
import { officeMeetings } from './arrivals.ts';
import { markdownTable, replaceSection } from './markdown.ts';
import { drawChart } from './pictures/line-chart.ts';
import {
  type Policy,
  type ScalingOutcome,
  simulate,
  ZOOM_BUFFER_SECONDS,
} from './scaling-simulation.ts';

/**
 * `node infra/study/scaling-study.ts` writes the table and the pictures of docs/scaling.md. It simulates a quiet hour, three
 * hours of office time, and one in which the last meetings end.
 */
const HOURS = 3;
const QUIET_MINUTES = 60;
const MINUTES = QUIET_MINUTES + HOURS * 60 + 60;

/** Meetings that start in an hour; about as many run at the same time. */
const SCALES = [10, 1_000, 4_000] as const;

const CONFIG = readConfig({ runner: { catcher: {} } });
const { memoryMiB, capacity: catcherSlots } = CONFIG.runner.catcher ?? {
  memoryMiB: 2_048,
  capacity: 20,
};
/** A task of `dev` with its address, $ an hour. */
const DEV_TASK = taskHour(readConfig(DEV)) + CONFIG.prices.publicIpv4Hour;
const CATCHER = {
  gibibytes: memoryMiB / 1024,
  meetings: Math.floor(catcherSlots / slotsOfRequest(CONFIG.zoom.media)),
};

interface Study {
  readonly perHour: number;
  /** The default configuration, without its `maxTasks`. */
  readonly reactive: ScalingOutcome;
  /** The same, with a schedule that starts tasks before each full hour. */
  readonly prewarmed: ScalingOutcome;
  /** No task before the first meeting, and the catcher. */
  readonly caught: ScalingOutcome;
}

/** Simulates one scale both ways, with the same meetings. */
function study(perHour: number): Study {
  const meetings = officeMeetings({
    perHour,
    hours: HOURS,
    quietSeconds: QUIET_MINUTES * 60,
    random: seededRandom(7),
  });
  const meetingsPerTask = Math.floor(CONFIG.runner.capacity / slotsOfRequest(CONFIG.zoom.media));
  const { minTasks, headroomSlots, capacity } = CONFIG.runner;
  const reactive: Policy = {
    minTasks: leastTasks(minTasks, headroomSlots, capacity),
    maxTasks: 5_000,
    meetingsPerTask,
    prewarmTasks: 0,
  };
  const prewarmed = { ...reactive, prewarmTasks: Math.ceil((perHour * 1.3) / meetingsPerTask) };
  return {
    perHour,
    reactive: simulate(meetings, reactive, MINUTES),
    prewarmed: simulate(meetings, prewarmed, MINUTES),
    caught: simulate(meetings, { ...reactive, minTasks: 0, catcher: CATCHER }, MINUTES),
  };
}

/** The study as an SVG chart. */
function drawStudy({ perHour, reactive, prewarmed }: Study): string {
  const both = (title: string, of: (outcome: ScalingOutcome) => readonly number[]) => ({
    title,
    lines: [
      { label: 'reactive', colour: '#ff7f0e', values: of(reactive) },
      { label: 'pre-warmed', colour: '#1f77b4', values: of(prewarmed) },
    ],
  });
  return drawChart(
    `${perHour.toLocaleString('en-US')} meetings an hour, starting on the hour`,
    MINUTES,
    [
      both('Meetings served', ({ running }) => running),
      both('Tasks', ({ tasks }) => tasks),
      {
        ...both('Oldest meeting waiting, s', ({ oldestWaitSeconds }) => oldestWaitSeconds),
        limit: { value: ZOOM_BUFFER_SECONDS, label: "Zoom's buffer, 60 s" },
      },
    ],
  );
}

const HEADER = [
  'meetings an hour',
  'scaling',
  'peak meetings',
  'peak tasks',
  'longest wait',
  'waited over 60 s',
  'caught',
  'task-hours',
  'Lambda GB-s',
  'tasks and Lambda, $ per meeting',
  'everything, $ an hour at the peak',
];
const ALIGNMENT = ['---:', '---', ...HEADER.slice(2).map(() => '---:')];

/** The studies as a Markdown table, three rows for each scale. */
function studyTable(studies: readonly Study[]): string {
  const rows = studies.flatMap(({ perHour, reactive, prewarmed, caught }) => [
    row(perHour, 'reactive', reactive),
    row(perHour, 'pre-warmed', prewarmed),
    row(perHour, 'catcher, no task at first', caught),
  ]);
  return markdownTable([HEADER, ALIGNMENT, ...rows]);
}

function row(perHour: number, name: string, outcome: ScalingOutcome): (string | number)[] {
  const peak = Math.max(...outcome.running);
  const lambda = outcome.lambdaGbSeconds * CONFIG.prices.lambdaGbSecond;
  const perMeeting = (outcome.taskHours * taskHour(CONFIG) + lambda) / outcome.meetings;
  const atPeak = costPerHour(CONFIG, peak).reduce((sum, line) => sum + line.dollarsPerHour, 0);
  const beyond = ((100 * outcome.beyondBuffer) / outcome.meetings).toFixed(1);
  return [
    perHour.toLocaleString('en-US'),
    name,
    peak,
    Math.max(...outcome.tasks),
    `${outcome.longestWaitSeconds} s`,
    `${beyond} %`,
    outcome.caught.toLocaleString('en-US'),
    Math.round(outcome.taskHours),
    Math.round(outcome.lambdaGbSeconds).toLocaleString('en-US'),
    `$${perMeeting.toFixed(4)}`,
    `$${Math.round(atPeak)}`,
  ];
}

/** What a meeting-hour costs that Lambda serves to its end, beside one in a task. */
function lambdaAlone(): string {
  const { lambda, task } = meetingHours(CONFIG);
  const alone = CONFIG.prices.lambdaGbSecond * CATCHER.gibibytes * 3600;
  return markdownTable([
    ['a meeting-hour', '$'],
    ['---', '---:'],
    ['in a full task', task.toFixed(4)],
    ['in a full execution', lambda.toFixed(4)],
    ['alone in an execution', alone.toFixed(4)],
    ['a full execution, times a full task', (lambda / task).toFixed(1)],
    ['alone in an execution, times a full task', (alone / task).toFixed(0)],
    [
      'hours a month from which one idle task of `dev` is cheaper than meetings alone in an execution',
      Math.round((HOURS_PER_MONTH * DEV_TASK) / alone),
    ],
  ]);
}

const studies = SCALES.map(study);
for (const one of studies) {
  writeFileSync(fromRoot(`docs/scaling-${one.perHour}.svg`), drawStudy(one));
}
const document = fromRoot('docs/scaling.md');
writeFileSync(
  document,
  replaceSection(
    replaceSection(readFileSync(document, 'utf8'), 'study', studyTable(studies)),
    'lambda-alone',
    lambdaAlone(),
  ),
);
