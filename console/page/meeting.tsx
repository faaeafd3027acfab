import { useState } from 'preact/hooks';
import type { LineView, MeetingDetail, MomentView, OverviewView, SourceView } from '../views.ts';
import { type Acting, Buttons } from './actions.tsx';
import { CardTable, type Column } from './card-table.tsx';
import { bytesText, countText, durationText, lagText } from './format.ts';
import { Pictures, Speakers } from './media.tsx';
import type { MeetingPlayer } from './meeting-player.ts';
import { RunnerButtons, State } from './overview.tsx';
import { Timeline } from './timeline.tsx';
import { Lines } from './transcript.tsx';

interface MeetingProps {
  readonly meeting: MeetingDetail | undefined;
  readonly overview: OverviewView | undefined;
  readonly rtmsStreamId: string;
  readonly lines: readonly LineView[];
  readonly moments: readonly MomentView[];
  readonly player: MeetingPlayer;
  readonly acting: Acting;
  readonly downloads: readonly string[];
  /** Resolves when the file is ready or the reason why not was shown. */
  readonly download: (kind: string) => Promise<void>;
  readonly nowMs: number;
}

export function MeetingPage(props: MeetingProps) {
  const { meeting, overview, rtmsStreamId, lines, moments, player, acting, nowMs } = props;
  const summary = overview?.meetings.find((each) => each.rtmsStreamId === rtmsStreamId);
  const owner = overview?.owners.find(({ taskId }) => taskId === summary?.owner);
  const nameOf = (source: string) => {
    const account = meeting?.sources.find(({ key }) => key === source);
    return account?.who ?? source;
  };
  const startMs = meeting?.startedAtMs ?? summary?.requestedAtMs ?? moments[0]?.atMs ?? nowMs;
  const isOver = meeting?.endedAtMs !== undefined && summary?.state !== 'serving';
  return (
    <>
      <header class="meeting-head">
        <h1>{meeting?.name ?? summary?.name ?? rtmsStreamId}</h1>
        <p class="facts">
          <State state={isOver ? 'ended' : (summary?.state ?? meeting?.state ?? 'not seen yet')} />
          <span class="id">{rtmsStreamId}</span>
          <span>
            runner <b class="id owner">{summary?.owner ?? meeting?.owner ?? '–'}</b>
          </span>
          <span>
            epoch <b class="epoch">{summary?.epoch ?? meeting?.epoch ?? '–'}</b>
          </span>
          <span>age {durationText((meeting?.endedAtMs ?? nowMs) - startMs)}</span>
          {!isOver && <span>lag {lagText(meeting?.lagMs)}</span>}
        </p>
        <div class="toolbar">
          {owner?.pid !== undefined && (
            <span class="tool">
              <span>{owner.taskId}</span> <RunnerButtons owner={owner} acting={acting} />
            </span>
          )}
          {!isOver && (
            <Buttons
              acting={acting}
              kind="meeting"
              target={rtmsStreamId}
              label="Act on the meeting"
            />
          )}
          <Buttons acting={acting} kind="stack" target="" label="Act on Kinesis" />
          <DownloadButtons {...props} />
        </div>
      </header>
      {meeting?.revoked === true && (
        <p class="problem" role="alert">
          Zoom took the consent back. Nothing of this meeting is shown, and what is stored of it
          must be deleted.
        </p>
      )}
      {meeting === undefined && moments.length === 0 && (
        <p class="note">
          Nothing is read of this meeting yet. What the stream still keeps of it appears here.
        </p>
      )}
      <Timeline
        moments={moments}
        startMs={startMs}
        endMs={Math.max(meeting?.endedAtMs ?? nowMs, startMs)}
      />
      {meeting?.revoked !== true && (
        <div class="columns">
          <div>
            <Pictures player={player} nameOf={nameOf} />
            <Speakers player={player} />
          </div>
          <div>
            <Lines
              title="Transcript"
              id="transcript"
              lines={lines.filter(({ kind }) => kind === 'transcript')}
              dropped={(lines[0]?.number ?? 1) - 1}
              empty="Nothing was said yet."
            />
            <Lines
              title="Chat"
              id="chat"
              lines={lines.filter(({ kind }) => kind === 'chat')}
              dropped={0}
              empty="Nothing was written yet."
            />
          </div>
        </div>
      )}
      {meeting !== undefined && !meeting.revoked && <People meeting={meeting} />}
      {meeting !== undefined && !meeting.revoked && <Ledger sources={meeting.sources} />}
    </>
  );
}

function DownloadButtons({ downloads, download }: Pick<MeetingProps, 'downloads' | 'download'>) {
  const [running, setRunning] = useState<string>();
  const press = async (kind: string) => {
    setRunning(kind);
    await download(kind);
    setRunning(undefined);
  };
  return (
    <fieldset class="buttons" aria-label="Downloads">
      {downloads.map((kind) => (
        <button
          key={kind}
          type="button"
          class="download"
          aria-disabled={running !== undefined}
          onClick={() => running === undefined && void press(kind)}
        >
          {running === kind ? `${kind} …` : kind}
        </button>
      ))}
    </fieldset>
  );
}

function People({ meeting: { people, peopleTotal, peoplePresent } }: { meeting: MeetingDetail }) {
  const more = peopleTotal - people.length;
  return (
    <section aria-labelledby="people-title">
      <h2 id="people-title">
        Participants{' '}
        <small>
          {countText(peoplePresent)} there, {countText(peopleTotal)} in all
        </small>
      </h2>
      <ul
        class="people"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
        tabIndex={0}
        aria-labelledby="people-title"
      >
        {people.map(({ userId, name, present, video }) => (
          <li key={userId} class={present ? '' : 'gone'}>
            {name}
            {video && <small> camera</small>}
            {!present && <small> left</small>}
          </li>
        ))}
        {more > 0 && <li class="more">and {countText(more)} more</li>}
      </ul>
    </section>
  );
}

const LEDGER: readonly Column<SourceView>[] = [
  { title: 'Source', cell: ({ who }) => who },
  { title: 'Media', cell: ({ mediaType }) => mediaType },
  { title: 'Codec', cell: ({ codec }) => codec || '–' },
  { title: 'Read here', cell: ({ frames }) => countText(frames) },
  { title: 'Bytes', cell: ({ bytes }) => bytesText(bytes) },
  {
    title: 'Lost, explained',
    look: ({ lost }) => (lost > 0 ? 'tone-bad' : ''),
    cell: ({ lost }) => countText(lost),
  },
  {
    title: 'Skipped, unexplained',
    label: 'Skipped',
    look: ({ unexplained }) => (unexplained > 0 ? 'tone-warn' : ''),
    cell: ({ unexplained }) => countText(unexplained),
  },
  {
    title: 'Ledger of the runner',
    label: 'Ledger',
    cell: ({ ledger }) =>
      ledger === undefined
        ? 'comes with the end of the epoch'
        : `${countText(ledger.received)} received, ${countText(ledger.written)} written, ${countText(ledger.lost)} lost`,
  },
];

function Ledger({ sources }: { sources: readonly SourceView[] }) {
  return (
    <section aria-labelledby="ledger-title">
      <h2 id="ledger-title">Ledger per source</h2>
      {sources.length === 0 && <p class="note">No frame is read yet.</p>}
      {sources.length > 0 && <CardTable rows={sources} keyOf={({ key }) => key} columns={LEDGER} />}
      <p class="note">
        This page counts what it has read since it was opened; “verify” counts everything and gives
        the verdict.
      </p>
    </section>
  );
}
