import type { MeetingSummary, OverviewView, OwnerSummary, StreamSummary } from '../views.ts';
import { type Acting, Buttons } from './actions.tsx';
import { bytesText, clockText, countText, durationText, lagText, rateText } from './format.ts';
import { Spark } from './sparkline.tsx';

const TITLES: Readonly<Record<string, string>> = {
  meetings: 'Meetings now',
  lag: 'Lag, median',
  media: 'Media stream',
  events: 'Event stream',
};
/** A runner whose heartbeat stands still for so long is about to lose its meetings. */
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
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Meeting</th>
          <th scope="col">State</th>
          <th scope="col">Owner</th>
          <th scope="col">Epoch</th>
          <th scope="col">Age</th>
          <th scope="col">Lag</th>
          <th scope="col">People</th>
          <th scope="col">Lines</th>
        </tr>
      </thead>
      <tbody>
        {meetings.map((meeting) => (
          <tr key={meeting.rtmsStreamId}>
            <th scope="row">
              <a href={hrefOf(meeting.rtmsStreamId)}>{meeting.name}</a>
            </th>
            <td data-label="State">
              <State state={meeting.state} />
              {meeting.request !== undefined && <small> {meeting.request} requested</small>}
              {meeting.outcome !== undefined && <small> {meeting.outcome}</small>}
            </td>
            <td data-label="Owner" class="id">
              {meeting.owner ?? '–'}
            </td>
            <td data-label="Epoch">{meeting.epoch ?? '–'}</td>
            <td data-label="Age">
              {meeting.requestedAtMs === undefined
                ? '–'
                : durationText(atMs - meeting.requestedAtMs)}
            </td>
            <td data-label="Lag">{lagText(meeting.lagMs)}</td>
            <td data-label="People">{countText(meeting.participants)}</td>
            <td data-label="Lines">{countText(meeting.lines)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
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

function Owners({ owners, acting }: { owners: readonly OwnerSummary[]; acting: Acting }) {
  if (owners.length === 0) return <p class="note">No runner and no catcher is at work.</p>;
  const hasButtons = acting.actions.some(({ target }) => target === 'runner');
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Task</th>
          <th scope="col">State</th>
          <th scope="col">Slots</th>
          <th scope="col">Meetings</th>
          <th scope="col">Heartbeat</th>
          {hasButtons && <th scope="col">Act</th>}
        </tr>
      </thead>
      <tbody>
        {owners.map((owner) => (
          <tr key={owner.taskId}>
            <th scope="row" class="id">
              {owner.taskId}
              {owner.pid !== undefined && <small> pid {owner.pid}</small>}
            </th>
            <td data-label="State">
              <OwnerState owner={owner} />
            </td>
            <td data-label="Slots">
              <meter
                min={0}
                max={Math.max(owner.slotsTotal, 0.01)}
                value={owner.slotsUsed}
                aria-label={`slots of ${owner.taskId}`}
              />{' '}
              {owner.slotsUsed} of {owner.slotsTotal}
            </td>
            <td data-label="Meetings">{owner.sessions}</td>
            <td data-label="Heartbeat">
              <span class={owner.silentMs > SILENT_MS ? 'tone-bad' : ''}>
                {durationText(owner.silentMs)} ago
              </span>
            </td>
            {hasButtons && (
              <td data-label="Act">
                {owner.pid !== undefined && <RunnerButtons owner={owner} acting={acting} />}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
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

function Streams({ streams }: { streams: readonly StreamSummary[] }) {
  const isTold = streams.some(({ writeThrottles }) => writeThrottles !== undefined);
  return (
    <>
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Stream</th>
            <th scope="col">Shards</th>
            <th scope="col">Throughput</th>
            <th scope="col">Records/s</th>
            <th scope="col">PUT units/s</th>
            <th scope="col">Throttles</th>
            <th scope="col">Malformed</th>
            <th scope="col">Reading</th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.name}>
              <th scope="row" class="id">
                {stream.name}
              </th>
              <td data-label="Shards">{stream.shards}</td>
              <td data-label="Throughput">{bytesText(stream.bytesPerSecond)}/s</td>
              <td data-label="Records/s">{rateText(stream.recordsPerSecond)}</td>
              <td data-label="PUT units/s">{rateText(stream.unitsPerSecond)}</td>
              <td data-label="Throttles">
                {stream.writeThrottles !== undefined &&
                  `${countText(stream.writeThrottles)} puts, `}
                {countText(stream.readThrottles)} reads
              </td>
              <td data-label="Malformed">{countText(stream.badRecords)}</td>
              <td data-label="Reading">
                {READING[stream.reading]}
                {stream.behindMs !== undefined &&
                  stream.behindMs > 0 &&
                  `, ${lagText(stream.behindMs)} behind`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {!isTold && (
        <p class="note">
          Throughput is what this console reads. Refused puts only CloudWatch knows:
          WriteProvisionedThroughputExceeded.
        </p>
      )}
    </>
  );
}
