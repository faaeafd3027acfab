import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type {
  ConsoleFacts,
  FrameView,
  LineView,
  MeetingDetail,
  MomentView,
  OverviewView,
} from '../views.ts';
import { MeetingPage } from './meeting.tsx';
import { MeetingPlayer } from './meeting-player.ts';
import { OverviewPage } from './overview.tsx';
import { call, follow, hashOf, type LinkState, readAddress, save } from './server-link.ts';

/** The same bounds as on the server: a tab that stays open for days keeps no more. */
const MOST_LINES = 2_000;
const MOST_MOMENTS = 1_000;
const SAID_MS = 8_000;

const CONNECTION_WORDS: Readonly<Record<LinkState, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'no connection; is the console still running?',
  refused: 'refused',
};

export function App() {
  const [address, setAddress] = useState(() => readAddress(location.hash));
  useEffect(() => {
    const changed = () => setAddress(readAddress(location.hash));
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  // A new meeting is a new page: nothing of the one before stays.
  return <Page key={`${address.token} ${address.meeting}`} {...address} />;
}

function Page({ token, meeting: open }: { token: string; meeting: string | undefined }) {
  const [facts, setFacts] = useState<ConsoleFacts>();
  const [connection, setConnection] = useState<LinkState>('connecting');
  const [refusal, setRefusal] = useState<string>();
  const [overview, setOverview] = useState<OverviewView>();
  const [meeting, setMeeting] = useState<MeetingDetail>();
  const [lines, setLines] = useState<readonly LineView[]>([]);
  const [moments, setMoments] = useState<readonly MomentView[]>([]);
  const [said, setSaid] = useState('');
  const marks = useRef({ line: 1, moment: 1 });
  const player = useMemo(() => new MeetingPlayer(), []);
  useEffect(() => () => player.close(), [player]);

  useEffect(() => {
    call<ConsoleFacts>(token, '/api/facts').then(setFacts, (error: Error) =>
      setRefusal(error.message),
    );
    return follow(token, open, {
      marks: () => marks.current,
      onConnection(next, why) {
        setConnection(next);
        if (why !== undefined) setRefusal(why);
      },
      onMessage(name, data) {
        switch (name) {
          case 'overview':
            return setOverview(data as OverviewView);
          case 'meeting':
            return setMeeting(data as MeetingDetail);
          case 'lines':
            return setLines((before) =>
              appended(before, data as LineView[], MOST_LINES, marks.current, 'line'),
            );
          case 'moments':
            return setMoments((before) =>
              appended(before, data as MomentView[], MOST_MOMENTS, marks.current, 'moment'),
            );
          case 'again':
            marks.current = { line: 1, moment: 1 };
            setLines([]);
            return setMoments([]);
          case 'frames':
            return player.push(data as FrameView[]);
          default:
        }
      },
    });
  }, [token, open, player]);

  useEffect(() => {
    if (said === '') return;
    const timer = setTimeout(() => setSaid(''), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  useEffect(() => {
    const name = meeting?.name;
    document.title = name === undefined ? 'rtms console' : `${name} – rtms console`;
  }, [meeting?.name]);

  const run = useCallback(
    (action: string, target: string) =>
      call<{ said: string }>(token, '/api/act', { action, target }).then(
        ({ said: words }) => setSaid(words),
        (error: Error) => setSaid(`Not done: ${error.message}`),
      ),
    [token],
  );
  const download = useCallback(
    (kind: string) =>
      call<{ path: string }>(token, '/api/downloads', { kind, rtmsStreamId: open ?? '' }).then(
        ({ path }) => save(path),
        (error: Error) => setSaid(`No ${kind}: ${error.message}`),
      ),
    [token, open],
  );
  const acting = { actions: facts?.actions ?? [], run };
  return (
    <>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        To the content
      </button>
      <header class="top">
        <nav aria-label="Pages">
          <a
            class="home"
            href={hashOf(token)}
            aria-current={open === undefined ? 'page' : undefined}
          >
            rtms console
          </a>
          {open !== undefined && <a href={hashOf(token)}>← all meetings</a>}
        </nav>
        <span class="deployment">{facts?.deployment}</span>
        <span class={`connection connection-${connection}`} role="status">
          {CONNECTION_WORDS[connection]}
        </span>
      </header>
      <main id="main" tabIndex={-1}>
        {refusal !== undefined && (
          <p class="problem" role="alert">
            {refusal}. Open the address that the terminal printed.
          </p>
        )}
        {overview?.problems.map((problem) => (
          <p key={problem} class="problem" role="alert">
            {problem}
          </p>
        ))}
        {open === undefined
          ? overview !== undefined && (
              <>
                <h1 class="hidden">Overview</h1>
                <OverviewPage
                  overview={overview}
                  acting={acting}
                  hrefOf={(id) => hashOf(token, id)}
                />
              </>
            )
          : refusal === undefined && (
              <MeetingPage
                meeting={meeting}
                overview={overview}
                rtmsStreamId={open}
                lines={lines}
                moments={moments}
                player={player}
                acting={acting}
                downloads={facts?.downloads ?? []}
                download={download}
                nowMs={overview?.atMs ?? Date.now()}
              />
            )}
      </main>
      <p class={`said ${said === '' ? 'said-nothing' : ''}`} role="status" aria-live="polite">
        {said}
      </p>
    </>
  );
}

/** Adds what is new, and remembers where to go on after a broken connection. */
function appended<Item extends { readonly number: number }>(
  before: readonly Item[],
  added: readonly Item[],
  most: number,
  marks: { line: number; moment: number },
  mark: 'line' | 'moment',
): readonly Item[] {
  const last = before.at(-1)?.number ?? 0;
  const fresh = added.filter(({ number }) => number > last);
  if (fresh.length === 0) return before;
  marks[mark] = (fresh.at(-1)?.number ?? 0) + 1;
  return [...before, ...fresh].slice(-most);
}
