import { readFile, rename, writeFile } from 'node:fs/promises';
import type { LanePosition, SpeakerLane } from '../../../../sdk/consumer/index.ts';

/**
 * Where each speech lane was left, in one JSON file. For consumers on Fargate: an item of a DynamoDB table for each lane in its
 * place.
 */
export class Positions {
  readonly #path: string;
  readonly #lanes = new Map<string, LanePosition>();
  #saving = Promise.resolve();
  #next: Promise<void> | undefined;

  private constructor(path: string, saved: readonly [string, LanePosition][]) {
    this.#path = path;
    this.#lanes = new Map(saved);
  }

  static async open(path: string): Promise<Positions> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw error;
    });
    return new Positions(path, JSON.parse(text));
  }

  /** For `resume`. */
  get all(): LanePosition[] {
    return [...this.#lanes.values()];
  }

  /** @param atMs everything before it was recognised, and its results are written */
  done(lane: SpeakerLane, atMs: number): Promise<void> {
    this.#lanes.set(lane.key, lane.position(atMs));
    return this.#save();
  }

  /** The speaker has left: nothing of this lane comes any more. */
  left(lane: SpeakerLane): Promise<void> {
    this.#lanes.delete(lane.key);
    return this.#save();
  }

  #save(): Promise<void> {
    // One writing takes along everything that was told while the one before it was under way.
    this.#next ??= this.#saving.then(async () => {
      this.#next = undefined;
      // A process that dies while it writes must not leave half a file.
      await writeFile(`${this.#path}.new`, JSON.stringify([...this.#lanes]));
      await rename(`${this.#path}.new`, this.#path);
    });
    this.#saving = this.#next;
    return this.#next;
  }
}
