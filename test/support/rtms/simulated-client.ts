import { RtmsClient } from '../../../rtms/client.ts';
import type { RtmsJoin } from '../../../rtms/connection/handshake-signer.ts';
import type { RtmsClientOptions } from '../../../rtms/connection/options.ts';
import type { EndReason, MediaFrame, RtmsClientEvents } from '../../../rtms/events.ts';
import { EVENT_TYPE } from '../../../rtms/protocol/constants.ts';
import { completeMediaRequest } from '../../../rtms/protocol/params.ts';
import { type ManualClock, manualClock } from '../../../simulator/clock.ts';
import type { Behaviour } from '../../../simulator/scenario/behaviour.ts';
import type { ActionInput, ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';

export const ADA = { userId: 16_778_240, userName: 'John Smith' };
export const BEN = { userId: 33_556_610, userName: 'Alice' };
const TALKING = { kind: 'synthetic', talkMs: 1 } as const;

/** Two who talk without a pause; nobody has a camera. */
export const MEETING: ScenarioInput = {
  name: 'test',
  durationMs: 3_600_000,
  participants: [
    { ...ADA, audio: TALKING },
    { ...BEN, audio: TALKING },
  ],
};

/** Small frames, Opus away: the synthetic source numbers L16 payloads. */
export const L16_ONLY = completeMediaRequest({
  audio: { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO' },
  video: false,
  deskshare: false,
  transcript: false,
  chat: false,
});

/** Contact Center: one customer, by channel. */
export const CALL: Partial<ScenarioInput> = {
  product: 'contact_center',
  participants: [{ ...ADA, channelId: 'ch-ada', audio: TALKING }],
};

export const NOW_MS = 1_738_392_033_699;

const EVENT_NAMES = [
  'state',
  'joined',
  'frame',
  'transcript',
  'chat',
  'event',
  'sessionState',
  'paused',
  'resumed',
  'interrupted',
  'reconnected',
  'gap',
  'malformed',
  'videoSubscribed',
  'other',
  'ended',
] as const satisfies readonly (keyof RtmsClientEvents)[];

type EventName = keyof RtmsClientEvents;

/** Everything a client emits, in order, and a way to wait for it. */
export class EventLog {
  readonly all: { name: EventName; args: readonly unknown[] }[] = [];
  readonly #first = new Map<EventName, unknown[]>();
  readonly #waiting = new Set<() => void>();

  constructor(client: RtmsClient) {
    for (const name of EVENT_NAMES) {
      this.#first.set(name, []);
      client.on(name, (...args: unknown[]) => {
        this.all.push({ name, args });
        this.#first.get(name)?.push(args[0]);
        for (const check of [...this.#waiting]) check();
      });
    }
  }

  names(): string[] {
    return this.all.map(({ name }) => name);
  }

  /** First arguments of every event of a name. */
  of<Name extends EventName>(name: Name): readonly RtmsClientEvents[Name][0][] {
    return this.#first.get(name) as RtmsClientEvents[Name][0][];
  }

  /** Waits for the `count`-th event of a name and returns it. */
  async next<Name extends EventName>(name: Name, count = 1): Promise<RtmsClientEvents[Name][0]> {
    await this.until(() => this.of(name).length >= count);
    return this.of(name)[count - 1] as RtmsClientEvents[Name][0];
  }

  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve) => {
      const check = () => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
    });
  }
}

export interface Simulated extends AsyncDisposable {
  readonly clock: ManualClock;
  readonly simulator: Simulator;
  readonly rtmsStreamId: string;
  readonly client: RtmsClient;
  readonly log: EventLog;
  readonly join: RtmsJoin;
  act(action: ActionInput): void;
  /** Lets Zoom's clock run and waits until the client has every frame sent by then. */
  play(durationMs: number): Promise<readonly MediaFrame[]>;
  /** Lets Zoom's clock run in small steps until media flows again. */
  flow(): Promise<void>;
  /** One request and its answer on the signaling socket. */
  roundTrip(): Promise<void>;
  ended(): Promise<EndReason>;
}

/** Fast enough for tests, slow enough for a busy machine. */
export const QUICK: RtmsClientOptions = {
  isAllowedAddress: () => true,
  media: L16_ONLY,
  backoff: () => 5,
  mediaWaitMs: 200,
  closeTimeoutMs: 30_000,
};

/** A client and the simulator it talks to over real sockets: starts a stream and a client for it; joining is up to the test. */
export async function simulate(
  options: {
    scenario?: Partial<ScenarioInput>;
    behaviour?: Partial<Behaviour>;
    client?: Partial<RtmsClientOptions>;
  } = {},
): Promise<Simulated> {
  const clock = manualClock(NOW_MS);
  const simulator = await startSimulator({
    clock,
    seed: 'test',
    behaviour: options.behaviour ?? {},
  });
  const rtmsStreamId = simulator.start({ ...MEETING, ...options.scenario }) as string;
  const { entityId, product } = simulator.streams()[0] as { entityId: string; product: 'meeting' };
  const client = new RtmsClient({ ...QUICK, ...options.client });
  const log = new EventLog(client);
  const isSession = (product as string) === 'session';
  const join: RtmsJoin = {
    product,
    entityId,
    rtmsStreamId,
    serverUrls: [simulator.serverUrl(rtmsStreamId)],
    clientId: isSession ? EXAMPLE_APP.videoSdkKey : EXAMPLE_APP.clientId,
    clientSecret: isSession ? EXAMPLE_APP.videoSdkSecret : EXAMPLE_APP.clientSecret,
  };
  return {
    clock,
    simulator,
    rtmsStreamId,
    client,
    log,
    join,
    act: (action) => simulator.act(rtmsStreamId, action),
    async play(durationMs) {
      const before = log.of('frame').length;
      clock.advance(durationMs);
      const sent = framesSent(simulator, rtmsStreamId);
      await log.until(() => log.of('frame').length >= sent);
      return log.of('frame').slice(before);
    },
    async flow() {
      const before = log.of('frame').length;
      while (log.of('frame').length === before) {
        clock.advance(20);
        await new Promise(setImmediate);
      }
    },
    async roundTrip() {
      const before = log.of('event').length;
      client.subscribeEvents([EVENT_TYPE.PARTICIPANT_JOIN], false);
      client.subscribeEvents([EVENT_TYPE.PARTICIPANT_JOIN], true);
      await log.until(() => log.of('event').length > before);
    },
    ended: () => log.next('ended'),
    async [Symbol.asyncDispose]() {
      await client.leave();
      await simulator.close();
    },
  };
}

/** The same, joined, with media flowing. */
export async function simulateJoined(
  options: Parameters<typeof simulate>[0] = {},
): Promise<Simulated> {
  const simulated = await simulate(options);
  simulated.client.join(simulated.join);
  await simulated.log.next('joined');
  // Zoom answers "ready" with it; from then on media flows.
  await simulated.log.next('sessionState');
  return simulated;
}

function framesSent(simulator: Simulator, rtmsStreamId: string): number {
  return simulator.sent(rtmsStreamId).sources.reduce((total, source) => total + source.frames, 0);
}
