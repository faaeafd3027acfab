import type { SignalingEvent } from './events.ts';

/** Bounds memory: thousands may come and go in a webinar. The oldest names are dropped first. */
const MAX_NAMES = 10_000;
const MAX_NAME_BYTES = 1024 * 1024;

/** What signaling messages told about the meeting and media messages do not repeat. */
export interface MeetingView {
  readonly roster: Roster;
  activeSpeaker: { readonly userId: number; readonly userName: string } | undefined;
}

/** Names by participant id, for messages without a name: leaves, video and mixed audio. */
export class Roster {
  readonly #names = new Map<number, string>();
  #nameBytes = 0;

  /** Keeps a name, also after the participant left: lines may arrive late. */
  learn(userId: number, userName: string | undefined): void {
    if (userName === undefined || userName === '') return;
    const known = this.#names.get(userId);
    if (known === userName) return;
    if (known !== undefined) this.#drop(userId, known);
    this.#names.set(userId, userName);
    this.#nameBytes += Buffer.byteLength(userName);
    for (const [oldest, name] of this.#names) {
      if (this.#names.size <= MAX_NAMES && this.#nameBytes <= MAX_NAME_BYTES) break;
      this.#drop(oldest, name);
    }
  }

  #drop(userId: number, userName: string): void {
    this.#names.delete(userId);
    this.#nameBytes -= Buffer.byteLength(userName);
  }

  /** The latest name that Zoom gave for this id, or the empty string. */
  nameOf(userId: number): string {
    return this.#names.get(userId) ?? '';
  }
}

/** Takes the active speaker from an event. Nobody is when the new one has no id, or when the active one leaves. */
export function followSpeaker(view: MeetingView, event: SignalingEvent): void {
  if (event.name === 'active_speaker') {
    const { userId, userName } = event;
    view.activeSpeaker = userId === undefined ? undefined : { userId, userName };
    return;
  }
  const { activeSpeaker } = view;
  if (event.name !== 'participant_left' || activeSpeaker === undefined) return;
  const hasLeft = event.participants.some(({ userId }) => userId === activeSpeaker.userId);
  if (hasLeft) view.activeSpeaker = undefined;
}
