import { startChild } from '../../../local/child.ts';
import type { ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { type Simulator, startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import { ADA, BEN } from './simulated-stream.ts';

const TALKING = { kind: 'synthetic', talkMs: 1 } as const;
export const CAMERA = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 700,
  keyFrameBytes: 6_000,
  keyEvery: 50,
} as const;
const SLIDES = { kind: 'synthetic', frameBytes: 500 } as const;

/** A little of everything: half of the lines come late enough for whoever joins slowly. */
export const LITTLE_MEETING: ScenarioInput = {
  name: 'little meeting',
  durationMs: 60_000,
  participants: [
    { ...ADA, audio: TALKING, video: CAMERA },
    { ...BEN, audio: TALKING },
  ],
  actions: Array.from({ length: 20 }, (_, turn) => turn * 1_000).flatMap((atMs, turn) => [
    {
      atMs: atMs + 300,
      action: { do: 'transcript', userId: ADA.userId, text: `Line ${turn + 1}.` } as const,
    },
    { atMs: atMs + 400, action: { do: 'chat', userId: BEN.userId, text: `Hi ${turn}` } as const },
    { atMs: atMs + 500, action: { do: 'active_speaker', userId: BEN.userId } as const },
    { atMs: atMs + 600, action: { do: 'video_off', userId: ADA.userId } as const },
    { atMs: atMs + 700, action: { do: 'video_on', userId: ADA.userId } as const },
    { atMs: atMs + 710, action: { do: 'share_start', userId: ADA.userId, track: SLIDES } as const },
    { atMs: atMs + 900, action: { do: 'share_stop' } as const },
  ]),
};

export interface RunningExample extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly rtmsStreamId: string;
  /** Waits for a line of the output; fails with all of them when the program ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Presses Ctrl-C and waits for the end. @returns the exit code, null when the signal ended it */
  interrupt(): Promise<number | null>;
}

/**
 * Runs a program of docs/examples/sdk as a child process, with a meeting whose webhooks it gets.
 *
 * @param listening the line that tells the port, in its first group
 */
export async function runExample(
  file: string,
  options: {
    readonly listening?: RegExp;
    readonly path?: string;
    readonly environment?: Readonly<Record<string, string>>;
    /** @default LITTLE_MEETING */
    readonly meeting?: ScenarioInput;
  } = {},
): Promise<RunningExample> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const child = startChild(
    `docs/examples/sdk/${file}`,
    [],
    {
      ZM_RTMS_CLIENT: EXAMPLE_APP.clientId,
      ZM_RTMS_SECRET: EXAMPLE_APP.clientSecret,
      ZM_RTMS_WEBHOOK_SECRET: EXAMPLE_APP.webhookSecretToken,
      ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
      ZM_RTMS_PORT: '0',
      PORT: '0',
      ...options.environment,
    },
    (line) => {
      lines.push(line);
      for (const check of [...waiting]) check();
    },
  );
  let hasEnded = false;
  void child.exited.then(() => {
    hasEnded = true;
    for (const check of [...waiting]) check();
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const check = () => {
        const found = lines.find((one) => pattern.test(one));
        if (found === undefined && !hasEnded) return;
        waiting.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${file} printed no ${pattern}:\n${lines.join('\n')}`));
      };
      waiting.add(check);
      check();
    });
  const listening = options.listening ?? /listening for webhooks port=(\d+)/;
  const port = listening.exec(await line(listening))?.[1];
  const webhookUrls = [`http://127.0.0.1:${port}${options.path ?? '/'}`];
  const simulator = await startSimulator({ webhookUrls });
  const rtmsStreamId = simulator.start(options.meeting ?? LITTLE_MEETING) as string;
  return {
    simulator,
    rtmsStreamId,
    line,
    async interrupt() {
      child.process.kill('SIGINT');
      return (await child.exited).code;
    },
    async [Symbol.asyncDispose]() {
      child.process.kill('SIGKILL');
      await child.exited;
      await simulator.close();
    },
  };
}
