import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FaultScript } from '../../local/kinesis/faults.ts';

export interface KinesisProcess {
  readonly url: string;
  setFaults(script: FaultScript): Promise<void>;
  stop(): Promise<void>;
}

/** The local Kinesis as a process of its own: its memory and its work are not the caller's. */
export async function startKinesisProcess(): Promise<KinesisProcess> {
  const main = fileURLToPath(new URL('../../local/kinesis/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  const { url } = JSON.parse(String(line)) as { url: string };
  return {
    url,
    async setFaults(script) {
      const answer = await fetch(`${url}/_faults`, {
        method: 'POST',
        body: JSON.stringify(script),
      });
      if (!answer.ok) throw new Error(await answer.text());
    },
    async stop() {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}
