import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHistogram } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { bundleOptions } from '../../infra/bundling/bundle-options.ts';
import { createAwsRouter } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { startFrontDoor, zoomSecret } from '../support/front-door.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const IMPORTS = 7;
const WARM_UP_REQUESTS = 50;
const REQUESTS = 500;

/** How any bundler would pack the handler: the SDK's CommonJS builds and its whole credential chain. */
const NAIVE: BuildOptions = {
  entryPoints: [join(ROOT, 'functions/zoom-webhook/handler.ts')],
  bundle: true,
  minify: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: {
    js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
  },
  logLevel: 'error',
};

/** How the function is deployed. */
const DEPLOYED = bundleOptions('functions/zoom-webhook/handler.ts', 'lambda');

export interface BundleFigures {
  readonly sizeBytes: number;
  /** Median of fresh processes, milliseconds from import to a handler that can be called. */
  readonly coldImportMs: number;
}

export interface WebhookFigures {
  readonly deployed: BundleFigures;
  readonly naive: BundleFigures;
  /** Start events, one at a time, over HTTP against local AWS, milliseconds. */
  readonly warm: { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };
}

/** Measures the webhook function: what Lambda has to load, and how fast Zoom is answered. */
export async function benchWebhook(): Promise<WebhookFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'webhook-bench-'));
  try {
    const warm = await measureAnswers();
    return {
      deployed: await measureBundle(DEPLOYED, join(directory, 'deployed.mjs')),
      naive: await measureBundle(NAIVE, join(directory, 'naive.mjs')),
      warm,
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function measureBundle(options: BuildOptions, outfile: string): Promise<BundleFigures> {
  await build({ ...options, outfile });
  const secrets = new LocalSecrets();
  secrets.put('secret', zoomSecret());
  const server = createAwsRouter(secrets.operations());
  const port = await listen(server, 0);
  const times: number[] = [];
  for (let run = 0; run < IMPORTS; run++) times.push(await coldImportMs(outfile, port));
  await closeServer(server);
  times.sort((one, other) => one - other);
  return {
    sizeBytes: (await stat(outfile)).size,
    coldImportMs: Math.round(times[Math.floor(IMPORTS / 2)] ?? 0),
  };
}

/** Imports the bundle in a process of its own, which includes reading the secret. */
async function coldImportMs(file: string, secretsPort: number): Promise<number> {
  const script = `
    const startedAt = performance.now();
    await import(${JSON.stringify(file)});
    process.stderr.write('took ' + (performance.now() - startedAt));
    process.exit();`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL_SECRETS_MANAGER: `http://127.0.0.1:${secretsPort}`,
      SESSION_TABLE: 'table',
      JOB_QUEUE_URL: 'queue',
      DEPLOYMENT: 'bench',
      ZOOM_WEBHOOK_SECRET_ID: 'secret',
    },
  });
  const [output] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  const tookMs = Number(/took ([\d.]+)/.exec(output)?.[1]);
  if (Number.isNaN(tookMs)) throw new Error(`the bundle does not start: ${output}`);
  return tookMs;
}

async function measureAnswers(): Promise<WebhookFigures['warm']> {
  const door = await startFrontDoor();
  try {
    const histogram = createHistogram();
    for (let index = -WARM_UP_REQUESTS; index < REQUESTS; index++) {
      const askedAt = process.hrtime.bigint();
      const { status } = await door.post({
        event: 'meeting.rtms_started',
        event_ts: 1_626_230_691_572,
        payload: {
          meeting_uuid: '4444AAAiAAAAAiAiAiiAii==',
          rtms_stream_id: `bench-${index}`,
          server_urls: 'wss://rtms.zoom.us:443',
        },
      });
      if (status !== 200) throw new Error(`the webhook answered ${status}`);
      if (index >= 0) histogram.record(process.hrtime.bigint() - askedAt);
    }
    const toMs = (ns: number) => Math.round(ns / 1e4) / 100;
    return {
      p50Ms: toMs(histogram.percentile(50)),
      p99Ms: toMs(histogram.percentile(99)),
      maxMs: toMs(histogram.max),
    };
  } finally {
    await door.close();
  }
}
