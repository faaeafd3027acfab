import type { MeetingSummary, OverviewView, OwnerSummary, StreamSummary } from '../views.ts';
import { type Acting, Buttons } from './actions.tsx';
import { CardTable, type Column } from './card-table.tsx';
import { bytesText, clockText, countText, durationText, lagText, rateText } from './format.ts';
import { Spark } from './sparkline.tsx';

const TITLES: Readonly<Record<string, string>> = {
  meetings: 'Meetings now',
  lag: 'Lag, median',
  media: 'Media stream',
  events: 'Event stream',
};
/** A runner whose heartbeat stands still for this long is about to lose its meetings. */
const SILENT_MS = 5_000;

interface OverviewProps {
  readonly overview: OverviewView;
  readonly acting: Acting;
  readonly hrefOf: (rtmsStreamId: string) => string;
}

export function OverviewPage({ overview, acting, hrefOf }: OverviewProps) {
  const { outcomes, sparklines, meetings, moreMeetings, owners, streams, atMs } = overview;
  return (
    <>
      <section aria-labelledby="numbers-title" class="numbers">
        <h2 id="numbers-title">Meetings since {clockText(outcomes.sinceMs)}</h2>
        <dl class="tiles">
          <Tile name="wanted" value={outcomes.wanted} />
          <Tile
            name="whole"
            value={outcomes.whole}
            tone={outcomes.whole > 0 ? 'good' : undefined}
          />
          <Tile
            name="in part"
            value={outcomes.inPart}
            tone={outcomes.inPart > 0 ? 'warn' : undefined}
          />
          <Tile
            name="missed"
            value={outcomes.missed}
            tone={outcomes.missed > 0 ? 'bad' : undefined}
          />
        </dl>
        <div class="sparks">
          {sparklines.map((values) => (
            <Spark key={values.name} title={TITLES[values.name] ?? values.name} values={values} />
          ))}
        </div>
      </section>
      <section aria-labelledby="meetings-title">
        <h2 id="meetings-title">Meetings now</h2>
        <Meetings meetings={meetings} atMs={atMs} hrefOf={hrefOf} />
        {moreMeetings > 0 && (
          <p class="note">and {countText(moreMeetings)} more: rtms sessions lists them</p>
        )}
      </section>
      <section aria-labelledby="owners-title">
        <h2 id="owners-title">Runners and catchers</h2>
        <Owners owners={owners} acting={acting} />
      </section>
      <section aria-labelledby="streams-title">
        <h2 id="streams-title">Streams</h2>
        <Buttons acting={acting} kind="stack" target="" label="Kinesis" />
        <Streams streams={streams} />
      </section>
    </>
  );
}

function Tile({ name, value, tone }: { name: string; value: number; tone?: string | undefined }) {
  return (
    <div class={`tile ${tone === undefined ? '' : `tone-${tone}`}`}>
      <dt>{name}</dt>
      <dd>{countText(value)}</dd>
    </div>
  );
}

function Meetings({
  meetings,
  atMs,
  hrefOf,
}: {
  meetings: readonly MeetingSummary[];
  atMs: number;
  hrefOf: OverviewProps['hrefOf'];
}) {
  if (meetings.length === 0) {
    return <p class="note">No meeting. One that begins appears here by itself.</p>;
  }
  const columns: Column<MeetingSummary>[] = [
    {
      title: 'Meeting',
      cell: ({ rtmsStreamId, name }) => <a href={hrefOf(rtmsStreamId)}>{name}</a>,
    },
    {
      title: 'State',
      cell: ({ state, request, outcome }) => (
        <>
          <State state={state} />
          {request !== undefined && <small> {request} requested</small>}
          {outcome !== undefined && <small> {outcome}</small>}
        </>
      ),
    },
    { title: 'Owner', look: () => 'id', cell: ({ owner }) => owner ?? '–' },
    { title: 'Epoch', cell: ({ epoch }) => epoch ?? '–' },
    {
      title: 'Age',
      cell: ({ requestedAtMs }) =>
        requestedAtMs === undefined ? '–' : durationText(atMs - requestedAtMs),
    },
    { title: 'Lag', cell: ({ lagMs }) => lagText(lagMs) },
    { title: 'People', cell: ({ participants }) => countText(participants) },
    { title: 'Lines', cell: ({ lines }) => countText(lines) },
  ];
  return <CardTable rows={meetings} keyOf={({ rtmsStreamId }) => rtmsStreamId} columns={columns} />;
}

const TONES: Readonly<Record<string, string>> = {
  serving: 'good',
  waiting: 'warn',
  paused: 'warn',
  interrupted: 'warn',
  ending: 'warn',
  quarantined: 'bad',
  revoked: 'bad',
};

export function State({ state }: { state: string }) {
  return <span class={`state tone-${TONES[state] ?? 'plain'}`}>{state}</span>;
}

const OWNER: readonly Column<OwnerSummary>[] = [
  {
    title: 'Task',
    look: () => 'id',
    cell: ({ taskId, pid }) => (
      <>
        {taskId}
        {pid !== undefined && <small> pid {pid}</small>}
      </>
    ),
  },
  { title: 'State', cell: (owner) => <OwnerState owner={owner} /> },
  {
    title: 'Slots',
    cell: ({ taskId, slotsUsed, slotsTotal }) => (
      <>
        <meter
          min={0}
          max={Math.max(slotsTotal, 0.01)}
          value={slotsUsed}
          aria-label={`slots of ${taskId}`}
        />{' '}
        {slotsUsed} of {slotsTotal}
      </>
    ),
  },
  { title: 'Meetings', cell: ({ sessions }) => sessions },
  {
    title: 'Heartbeat',
    cell: ({ silentMs }) => (
      <span class={silentMs > SILENT_MS ? 'tone-bad' : ''}>{durationText(silentMs)} ago</span>
    ),
  },
];

function Owners({ owners, acting }: { owners: readonly OwnerSummary[]; acting: Acting }) {
  if (owners.length === 0) return <p class="note">No runner and no catcher is at work.</p>;
  const act: Column<OwnerSummary> = {
    title: 'Act',
    cell: (owner) => owner.pid !== undefined && <RunnerButtons owner={owner} acting={acting} />,
  };
  const hasButtons = acting.actions.some(({ target }) => target === 'runner');
  const columns = hasButtons ? [...OWNER, act] : OWNER;
  return <CardTable rows={owners} keyOf={({ taskId }) => taskId} columns={columns} />;
}

export function RunnerButtons({ owner, acting }: { owner: OwnerSummary; acting: Acting }) {
  return (
    <Buttons
      acting={acting}
      kind="runner"
      target={owner.taskId}
      label={`Act on ${owner.taskId}`}
      hide={owner.frozen ? ['freeze', 'drain'] : ['thaw']}
    />
  );
}

function OwnerState({ owner }: { owner: OwnerSummary }) {
  const words = [
    owner.kind,
    ...(owner.frozen ? ['frozen'] : []),
    ...(owner.draining ? ['draining'] : []),
    ...(owner.strained ? ['strained'] : []),
  ];
  const tone = owner.frozen || owner.strained ? 'warn' : 'plain';
  return <span class={`state tone-${tone}`}>{words.join(', ')}</span>;
}

const READING: Readonly<Record<StreamSummary['reading'], string>> = {
  push: 'pushed (enhanced fan-out)',
  poll: 'polled',
  idle: 'not read now',
  failed: 'reading fails',
};

const STREAM: readonly Column<StreamSummary>[] = [
  { title: 'Stream', look: () => 'id', cell: ({ name }) => name },
  { title: 'Shards', cell: ({ shards }) => shards },
  { title: 'Throughput', cell: ({ bytesPerSecond }) => `${bytesText(bytesPerSecond)}/s` },
  { title: 'Records/s', cell: ({ recordsPerSecond }) => rateText(recordsPerSecond) },
  { title: 'PUT units/s', cell: ({ unitsPerSecond }) => rateText(unitsPerSecond) },
  {
    title: 'Throttles',
    cell: ({ writeThrottles, readThrottles }) =>
      `${writeThrottles === undefined ? '' : `${countText(writeThrottles)} puts, `}${countText(readThrottles)} reads`,
  },
  { title: 'Malformed', cell: ({ badRecords }) => countText(badRecords) },
  {
    title: 'Reading',
    cell: ({ reading, behindMs = 0 }) =>
      `${READING[reading]}${behindMs > 0 ? `, ${lagText(behindMs)} behind` : ''}`,
  },
];

function Streams({ streams }: { streams: readonly StreamSummary[] }) {
  const isTold = streams.some(({ writeThrottles }) => writeThrottles !== undefined);
  return (
    <>
      <CardTable rows={streams} keyOf={({ name }) => name} columns={STREAM} />
      {!isTold && (
        <p class="note">
          Throughput is what this console reads. Refused puts only CloudWatch knows:
          WriteProvisionedThroughputExceeded.
        </p>
      )}
    </>
  );
}
