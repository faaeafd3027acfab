import { join } from 'node:path';
import { startChild } from '../../local/child.ts';
import {
  type Simulator,
  type SimulatorOptions,
  startSimulator,
} from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { LITTLE_MEETING } from '../support/sdk/run-example.ts';

export interface RunningProgram extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly rtmsStreamId: string;
  /** Waits for a line of the output; fails with all of them when the program ends before. */
  line(pattern: RegExp): Promise<string>;
  lines(): readonly string[];
  readonly exited: Promise<{ readonly code: number | null }>;
}

/** Runs a program of a project that has the package installed, with a meeting whose webhooks it gets. */
export async function runProgram(
  project: string,
  file: string,
  options: { readonly path?: string; readonly simulator?: SimulatorOptions } = {},
): Promise<RunningProgram> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let hasEnded = false;
  const check = () => {
    for (const one of [...waiting]) one();
  };
  const child = startChild(
    join(project, file),
    [],
    {
      ZM_RTMS_CLIENT: EXAMPLE_APP.clientId,
      ZM_RTMS_SECRET: EXAMPLE_APP.clientSecret,
      ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
      ZM_RTMS_PORT: '0',
      PORT: '0',
      // What the program checks itself, under a name that the SDK does not read.
      ZOOM_SECRET_TOKEN: EXAMPLE_APP.webhookSecretToken,
    },
    (line) => {
      lines.push(line);
      check();
    },
  );
  void child.exited.then(() => {
    hasEnded = true;
    check();
  });
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((one) => pattern.test(one));
        if (found === undefined && !hasEnded) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`${file} printed no ${pattern}:\n${lines.join('\n')}`));
      };
      waiting.add(look);
      look();
    });
  const port = /port[= ](\d+)/.exec(await line(/listening.*port[= ]\d+/i))?.[1];
  const webhookUrls = [`http://127.0.0.1:${port}${options.path ?? '/'}`];
  const simulator = await startSimulator({ webhookUrls, ...options.simulator });
  return {
    simulator,
    rtmsStreamId: simulator.start(LITTLE_MEETING) as string,
    line,
    lines: () => lines,
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.process.kill('SIGKILL');
      await child.exited;
      await simulator.close();
    },
  };
}
