import type { EventPerson } from '../../../../shared/record/event-data.ts';
import type { ReceivedEvent } from '../../records/event-record.ts';
import { sourceKey } from '../../records/frame.ts';
import type { WrittenMedia } from '../source-files.ts';
import type { Speech } from './speech.ts';

interface Person {
  readonly userId: number;
  userName: string;
  /** When they joined and left, each time, ms since meeting zero. Who was there from the beginning has no join. */
  readonly joinedAtMs: number[];
  readonly leftAtMs: number[];
}

/** One row of `participants.json`. */
interface Participant extends Person {
  /** How long they spoke, by `speakers.rttm`. */
  readonly spokeMs: number;
  /** Files that hold their sound, camera or share. */
  readonly files: readonly string[];
}

/** Collects who took part. */
export class Attendance {
  readonly #startMs: number;
  readonly #attendance = new Map<number, Person>();

  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  event(event: ReceivedEvent): void {
    if (event.name === 'participant_joined' || event.name === 'participant_left') {
      for (const each of event.data.participants) {
        const person = this.#add(each);
        const times = event.name === 'participant_joined' ? person?.joinedAtMs : person?.leftAtMs;
        times?.push(event.data.timestampMs - this.#startMs);
      }
    } else if (event.name === 'active_speaker' || event.name === 'sharing_started') {
      this.#add(event.data);
    } else if (event.name === 'transcript') this.#add(event.data);
  }

  /** @param nameOf how a path is named in the document */
  toRows(
    media: readonly WrittenMedia[],
    spoken: readonly Speech[],
    nameOf: (path: string) => string,
  ): Participant[] {
    for (const each of media) if (each.userId !== 0 && !each.isMix) this.#add(each);
    return [...this.#attendance.values()].map((person) => {
      const key = sourceKey(person);
      const own = spoken.filter(({ speaker }) => speaker === key);
      const files = media.filter((each) => !each.isMix && each.userId === person.userId);
      return {
        ...person,
        spokeMs: own.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
        files: files.map(({ path }) => nameOf(path)),
      };
    });
  }

  #add({ userId, userName }: EventPerson): Person | undefined {
    if (userId === undefined) return undefined;
    const known = this.#attendance.get(userId);
    if (known) {
      if (userName) known.userName = userName;
      return known;
    }
    const person = { userId, userName: userName ?? '', joinedAtMs: [], leftAtMs: [] };
    this.#attendance.set(userId, person);
    return person;
  }
}
