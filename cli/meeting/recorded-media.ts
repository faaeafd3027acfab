import type { Frame, ReceivedEvent } from '../../sdk/consumer/index.ts';

/** What was recorded of one media type. */
export interface RecordedMedia {
  readonly mediaType: string;
  /** Minutes in which something of it was captured, by whole seconds; absent for lines of text. */
  readonly minutes?: number;
  /** Transcript and chat. */
  readonly lines?: number;
  /** Names of the people it is of, else their ids. */
  readonly people: readonly string[];
}

interface Counted {
  readonly seconds: Set<number>;
  readonly people: Map<string, string>;
  lines: number;
}

/** Counts what was recorded: a few numbers for each second of a meeting, whatever the number of frames. */
export class RecordedCounter {
  readonly #counted = new Map<string, Counted>();

  frame({ mediaType, capturedAt, userId, userName, channelId }: Frame): void {
    const counted = this.#of(mediaType);
    counted.seconds.add(Math.floor(capturedAt.getTime() / 1_000));
    name(counted, channelId ?? userId, userName);
  }

  event(event: ReceivedEvent): void {
    if (event.name !== 'transcript' && event.name !== 'chat') return;
    const counted = this.#of(event.name);
    counted.lines += 1;
    if (event.name === 'chat') {
      name(counted, event.data.sender?.userId, event.data.sender?.userName);
    } else {
      name(counted, event.data.channelId ?? event.data.userId, event.data.userName);
    }
  }

  get recorded(): RecordedMedia[] {
    return [...this.#counted].map(([mediaType, { seconds, people, lines }]) => ({
      mediaType,
      ...(seconds.size > 0 && { minutes: Math.round((seconds.size / 60) * 10) / 10 }),
      ...(lines > 0 && { lines }),
      people: [...people.values()],
    }));
  }

  #of(mediaType: string): Counted {
    let counted = this.#counted.get(mediaType);
    if (counted === undefined) {
      counted = { seconds: new Set(), people: new Map(), lines: 0 };
      this.#counted.set(mediaType, counted);
    }
    return counted;
  }
}

/** The mixed audio of a meeting has user id 0: nobody's name. */
function name({ people }: Counted, id: string | number | undefined, userName = ''): void {
  if (id === undefined || id === 0) return;
  const key = String(id);
  if (userName !== '') people.set(key, userName);
  else if (!people.has(key)) people.set(key, key);
}
