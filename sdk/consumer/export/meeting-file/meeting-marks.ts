import type { ReceivedEvent } from '../../records/event-record.ts';
import { sourceKey } from '../../records/frame.ts';
import type { Loss } from '../../verdict/loss.ts';
import type { Cut } from './compose.ts';
import type { Chapter } from './mp4-boxes.ts';

/** What begins within this time of a chapter belongs to it. */
const ONE_CHAPTER_MS = 1_000;

const NOUNS: Readonly<Record<string, string>> = { deskshare: 'share' };

/** Collects from the events when speakers and shares change, and where a chapter begins. Times since meeting zero. */
export class MeetingMarks {
  readonly #startMs: number;
  readonly #cuts: Cut[] = [];
  readonly #marks: Chapter[] = [];

  /** @param startMs meeting zero, Unix ms */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  event(event: ReceivedEvent): void {
    const atMs = (ms: number) => Math.max(ms - this.#startMs, 0);
    switch (event.name) {
      case 'active_speaker': {
        const { userId, timestampMs } = event.data;
        if (userId !== undefined)
          this.#cuts.push({ atMs: atMs(timestampMs), speaker: sourceKey({ userId }) });
        return;
      }
      case 'sharing_started': {
        const { userName, userId, timestampMs } = event.data;
        this.#cuts.push({ atMs: atMs(timestampMs), isSharing: true });
        this.#mark(atMs(timestampMs), `${nameOf({ userName, userId })} shares`);
        return;
      }
      case 'sharing_stopped':
        this.#cuts.push({ atMs: atMs(event.data.timestampMs), isSharing: false });
        this.#mark(atMs(event.data.timestampMs), 'Share ends');
        return;
      case 'participant_joined':
      case 'participant_left': {
        const act = event.name === 'participant_joined' ? 'joins' : 'leaves';
        for (const person of event.data.participants)
          this.#mark(atMs(event.data.timestampMs), `${nameOf(person)} ${act}`);
        return;
      }
      case 'session_paused':
        this.#mark(atMs(event.data.timestampMs), 'Paused');
        return;
      case 'session_resumed':
        this.#mark(atMs(event.data.timestampMs), 'Resumed');
        return;
      default:
    }
  }

  /** In the order of time. */
  get cuts(): readonly Cut[] {
    return this.#cuts.toSorted((a, b) => a.atMs - b.atMs);
  }

  /** The first one is at zero. What happens within a second is one chapter. */
  chapters(losses: readonly Loss[]): Chapter[] {
    const gaps = losses.map(({ fromMs, mediaType }) => ({
      atMs: Math.max(fromMs - this.#startMs, 0),
      title: `Gap: ${NOUNS[mediaType] ?? mediaType}`,
    }));
    const marks = [...this.#marks, ...gaps].sort((a, b) => a.atMs - b.atMs);
    const chapters: { atMs: number; titles: Set<string> }[] = [
      { atMs: 0, titles: new Set(['Start']) },
    ];
    for (const { atMs, title } of marks) {
      const last = chapters.at(-1);
      if (last && atMs - last.atMs < ONE_CHAPTER_MS) last.titles.add(title);
      else chapters.push({ atMs, titles: new Set([title]) });
    }
    return chapters.map(({ atMs, titles }) => ({ atMs, title: joined([...titles]) }));
  }

  #mark(atMs: number, title: string): void {
    this.#marks.push({ atMs, title });
  }
}

function nameOf({
  userName,
  userId,
}: {
  userName?: string | undefined;
  userId?: number | undefined;
}): string {
  return userName || (userId === undefined ? 'Somebody' : `User ${userId}`);
}

/** @returns `Gap: audio, video`, `Ada joins, Ben joins` */
function joined(titles: readonly string[]): string {
  const gaps = titles.filter((title) => title.startsWith('Gap: '));
  const others = titles.filter((title) => !title.startsWith('Gap: '));
  const gap = gaps.map((title) => title.slice('Gap: '.length)).join(', ');
  return [...others, ...(gap ? [`Gap: ${gap}`] : [])].join(', ');
}
