import type { Scenario, ScenarioParticipant, ShareTrack } from './scenario.ts';

/** Who is in the meeting, speaks, has the camera on and shares, with or without an RTMS client. */
export class Meeting {
  readonly #participants: ReadonlyMap<number, ScenarioParticipant>;
  readonly #present = new Set<number>();
  #presentNow: readonly ScenarioParticipant[] | undefined;
  readonly #cameras = new Set<number>();
  #featured: number | undefined;
  share: { userId: number; track: ShareTrack; startedMs: number } | undefined;
  activeSpeaker: number | undefined;

  constructor(scenario: Scenario) {
    this.#participants = new Map(scenario.participants.map((one) => [one.userId, one]));
  }

  join(userId: number): void {
    this.#present.add(userId);
    this.#presentNow = undefined;
    const participant = this.participant(userId);
    if (participant.video !== undefined && !participant.cameraOff) this.#cameras.add(userId);
  }

  leave(userId: number): void {
    this.#present.delete(userId);
    this.#presentNow = undefined;
    this.#cameras.delete(userId);
  }

  camera(userId: number, on: boolean): void {
    if (on && this.#present.has(userId)) this.#cameras.add(userId);
    else this.#cameras.delete(userId);
  }

  /** @throws Error for a user id that the scenario does not have */
  participant(userId: number): ScenarioParticipant {
    const participant = this.#participants.get(userId);
    if (participant === undefined) throw new Error(`the scenario has no participant ${userId}`);
    return participant;
  }

  /** Asked for with every frame. */
  get present(): readonly ScenarioParticipant[] {
    this.#presentNow ??= [...this.#present].map((userId) => this.participant(userId));
    return this.#presentNow;
  }

  isPresent(userId: number): boolean {
    return this.#present.has(userId);
  }

  get camerasOn(): number[] {
    return [...this.#cameras];
  }

  hasCameraOn(userId: number): boolean {
    return this.#cameras.has(userId);
  }

  /** The participant whose camera the active-speaker feed shows: the last one who spoke with the camera on. */
  get featured(): number | undefined {
    if (this.activeSpeaker !== undefined && this.#cameras.has(this.activeSpeaker)) {
      this.#featured = this.activeSpeaker;
    } else if (this.#featured === undefined || !this.#cameras.has(this.#featured)) {
      [this.#featured] = this.#cameras;
    }
    return this.#featured;
  }
}
