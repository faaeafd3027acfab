import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runCommand, startCommand } from './command.ts';
import { freePort } from './free-port.ts';
import { pythonPrograms } from './installs.ts';

/** One environment for all of them: ministack and the AWS CLI want the same botocore. */
const PACKAGES = [
  'ministack==1.5.33',
  'moto[server]==5.2.5',
  'microburst==0.10.0',
  'awscli==1.46.2',
];
const START_MS = 180_000;

/** The folder of the programs of others that speak AWS's protocols. */
export function awsPrograms(): Promise<string> {
  return pythonPrograms('aws', PACKAGES);
}

/** An emulator or a proxy that is answering on loopback. */
export interface AwsProcess {
  readonly software: string;
  readonly version: string;
  readonly port: number;
  readonly url: string;
  stop(): void;
}

/** Starts ministack: many services on one port. Functions are run by the Node of this process, in processes of ministack's. */
export async function startMinistack(): Promise<AwsProcess> {
  const port = await freePort();
  const env = {
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    IOT_MTLS_ENABLED: '0',
    LAMBDA_EXECUTOR: 'local',
    PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
  };
  return await start('ministack', {
    program: 'ministack',
    port,
    env,
    health: '/_ministack/health',
  });
}

/** Starts a moto server. One Python thread runs at a time in it, so each busy service is given one of its own. */
export async function startMoto(): Promise<AwsProcess> {
  const port = await freePort();
  const args = ['-H', '127.0.0.1', '-p', String(port)];
  return await start('moto', { program: 'moto_server', args, port, health: '/moto-api/' });
}

/** Starts microburst in front of an emulator. It faults nothing until it is told to. */
export async function startMicroburst(upstream: AwsProcess): Promise<AwsProcess> {
  const port = await freePort();
  const args = ['--upstream', upstream.url, '--port', String(port)];
  return await start('microburst', {
    program: 'microburst',
    args,
    port,
    health: '/_microburst/health',
  });
}

interface Start {
  readonly program: string;
  readonly args?: readonly string[];
  readonly port: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Path that is answered with 200 once it serves. */
  readonly health: string;
}

async function start(name: string, { program, args = [], port, env = {}, health }: Start) {
  const folder = await awsPrograms();
  const child = startCommand(join(folder, program), args, { env });
  let said = '';
  for (const output of [child.stdout, child.stderr]) {
    output.on('data', (text) => {
      said = `${said}${text}`.slice(-2_000);
    });
  }
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + START_MS;
  while (!(await answers(`${url}${health}`))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`${name} did not start:\n${said}`);
    }
    await wait(100);
  }
  return {
    software: `${name} (PyPI)`,
    version: await pythonVersion(name),
    port,
    url,
    stop: () => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')),
  };
}

/** The version of a package as the Python that runs it tells it. */
export async function pythonVersion(name: string): Promise<string> {
  const program = `import importlib.metadata as m; print(m.version('${name}'))`;
  const { stdout } = await runCommand(join(await awsPrograms(), 'python'), ['-c', program]);
  return stdout.trim();
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
