import type { EventPerson } from '../../shared/record/event-data.ts';
import type { PersonView } from '../views.ts';

/** More than any meeting of Zoom has at once; a stream of made-up ids must not fill the memory. */
const MOST_PEOPLE = 20_000;

interface Person {
  userName: string;
  isPresent: boolean;
  hasVideo: boolean;
  /** Grows with every change, so that whoever did something last stands first. */
  changed: number;
}

/** Who is in a meeting, from its roster events. */
export class People {
  readonly #people = new Map<number, Person>();
  #changes = 0;
  #present = 0;

  get total(): number {
    return this.#people.size;
  }

  get present(): number {
    return this.#present;
  }

  nameOf(userId: number | undefined): string | undefined {
    return userId === undefined ? undefined : this.#people.get(userId)?.userName || undefined;
  }

  change(
    people: readonly EventPerson[],
    change: Partial<Pick<Person, 'isPresent' | 'hasVideo'>>,
  ): void {
    for (const { userId, userName } of people) {
      if (userId === undefined) continue;
      const known = this.#people.get(userId);
      if (known === undefined && this.#people.size >= MOST_PEOPLE) continue;
      const before = known ?? { userName: '', isPresent: false, hasVideo: false, changed: 0 };
      this.#changes += 1;
      const after = {
        ...before,
        ...change,
        userName: userName || before.userName,
        changed: this.#changes,
      };
      this.#present += Number(after.isPresent) - Number(before.isPresent);
      this.#people.set(userId, after);
    }
  }

  /** Those who are there first, and of them those who changed last. */
  view(most: number): PersonView[] {
    return [...this.#people]
      .sort(([, a], [, b]) => Number(b.isPresent) - Number(a.isPresent) || b.changed - a.changed)
      .slice(0, most)
      .map(([userId, { userName, isPresent, hasVideo }]) => ({
        userId,
        name: userName || String(userId),
        present: isPresent,
        video: hasVideo && isPresent,
      }));
  }

  clear(): void {
    this.#people.clear();
    this.#present = 0;
  }
}
