import { ENTITY_ID_FIELD } from '../../../rtms/protocol/product.ts';
import { Client, type ClientOptions } from '../../../sdk/client/client.ts';
import type { JoinParams } from '../../../sdk/client/settings/join-params.ts';
import { configureLogger } from '../../../sdk/client/settings/logger.ts';
import { type ManualClock, manualClock } from '../../../simulator/clock.ts';
import type { ActionInput, ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';

/** For tests only: a stream of the simulator, and clients that may talk to it. */
export const ADA = { userId: 16_778_240, userName: 'John Smith' };
export const BEN = { userId: 33_556_610, userName: 'Alice' };

const TALKING = { kind: 'synthetic', talkMs: 1 } as const;
const CAMERA = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 700,
  keyFrameBytes: 6_000,
  keyEvery: 50,
} as const;

const MEETING: ScenarioInput = {
  name: 'sdk test',
  durationMs: 3_600_000,
  participants: [
    { ...ADA, audio: TALKING, video: CAMERA },
    { ...BEN, audio: TALKING },
  ],
};

const NOW_MS = 1_738_392_033_699;

export const CREDENTIALS = { client: EXAMPLE_APP.clientId, secret: EXAMPLE_APP.clientSecret };

export interface SimulatedStream extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly clock: ManualClock;
  readonly rtmsStreamId: string;
  /** What the started webhook holds, with credentials. */
  payload(): JoinParams;
  client(options?: ClientOptions): Client;
  /** Joins and waits until media flows, or for what `onJoinConfirm` says instead. */
  join(client: Client): Promise<number>;
  act(action: ActionInput): void;
}

export async function simulateStream(
  scenario: Partial<ScenarioInput> = {},
  options: SimulatorOptions = {},
): Promise<SimulatedStream> {
  configureLogger({ enabled: false });
  const clock = manualClock(NOW_MS);
  const simulator = await startSimulator({ clock, seed: 'sdk', ...options });
  const rtmsStreamId = simulator.start({ ...MEETING, ...scenario }) as string;
  const [info] = simulator.streams();
  if (info === undefined) throw new Error('the simulator has no stream');
  const clients: Client[] = [];
  const stream: SimulatedStream = {
    simulator,
    clock,
    rtmsStreamId,
    payload: () => ({
      [ENTITY_ID_FIELD[info.product]]: info.entityId,
      rtms_stream_id: rtmsStreamId,
      server_urls: simulator.serverUrl(rtmsStreamId),
      ...CREDENTIALS,
    }),
    client(options) {
      const client = new Client({ allowedHosts: '127.0.0.1', ...options });
      clients.push(client);
      return client;
    },
    async join(client) {
      const confirmed = new Promise<number>((resolve) => client.onJoinConfirm(resolve));
      client.join(stream.payload());
      const reason = await confirmed;
      while (reason === 0 && simulator.streams()[0]?.state !== 'ACTIVE') {
        await new Promise(setImmediate);
      }
      return reason;
    },
    act: (action) => simulator.act(rtmsStreamId, action),
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.leave()));
      await simulator.close();
    },
  };
  return stream;
}
