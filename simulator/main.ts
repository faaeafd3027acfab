import { parseArgs } from 'node:util';
import type { UserEnv } from '../shared/env.ts';
import { ServiceError } from '../shared/errors.ts';
import { namedScenario, startControlServer } from './control-server.ts';
import { parseMissing } from './scenario/forms.ts';
import { parseBehaviour } from './scenario/scenario.ts';
import { type SimulatorEvent, startSimulator } from './simulator.ts';
import { EXAMPLE_APP, type SimulatorApp } from './sockets/handshake.ts';

/**
 * Runs the simulator as a process. Writes one JSON object a line to stdout, `listening` first. Ends on SIGTERM or
 * SIGINT, and with `--exit` when every meeting that it was started with is over.
 *
 * The Zoom app's credentials come from ZM_RTMS_CLIENT, ZM_RTMS_SECRET, ZM_RTMS_WEBHOOK_SECRET (if it has two, the first
 * one signs), ZM_RTMS_VIDEO_SDK_KEY and ZM_RTMS_VIDEO_SDK_SECRET. By default they are those of the fixtures.
 */
const OPTIONS = {
  'webhook-url': { type: 'string', multiple: true },
  /** Port of the control server. */
  port: { type: 'string', default: '0' },
  'signaling-port': { type: 'string', default: '0' },
  'media-port': { type: 'string', default: '0' },
  /** `scripted` or `synthetic`; without it the simulator waits for POST /scenarios. */
  scenario: { type: 'string' },
  /** Options of the synthetic meeting, as JSON. */
  'scenario-options': { type: 'string', default: '{}' },
  meetings: { type: 'string', default: '1' },
  speed: { type: 'string', default: '1' },
  'sent-dir': { type: 'string' },
  seed: { type: 'string' },
  /** JSON; see behaviour.ts. */
  behaviour: { type: 'string', default: '{}' },
  /** What the forms of SIMULATOR_FORMS may leave out; see forms.ts. */
  missing: { type: 'string', default: 'nothing' },
  exit: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values: flags } = parseArgs({ options: OPTIONS });
  const simulator = await startSimulator({
    webhookUrls: flags['webhook-url'] ?? [],
    app: appFrom(process.env),
    speed: Number(flags.speed),
    signalingPort: Number(flags['signaling-port']),
    mediaPort: Number(flags['media-port']),
    behaviour: parseBehaviour(JSON.parse(flags.behaviour)),
    missing: parseMissing(flags.missing),
    ...(flags['sent-dir'] !== undefined && { sentDir: flags['sent-dir'] }),
    ...(flags.seed !== undefined && { seed: flags.seed }),
    onEvent: (event) => print(describe(event)),
  });
  const control = await startControlServer(simulator, Number(flags.port));
  const end = async () => {
    control.close();
    await simulator.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end());
  print({
    kind: 'listening',
    controlUrl: control.url,
    signalingUrl: simulator.signalingUrl,
    mediaUrl: simulator.mediaUrl,
    apiUrl: simulator.apiUrl,
    oauthUrl: simulator.oauthUrl,
  });
  if (flags.scenario === undefined) return;
  const options = JSON.parse(flags['scenario-options']);
  const scenario = namedScenario({ scenario: flags.scenario, options });
  const started = Array.from({ length: Number(flags.meetings) }, () => simulator.start(scenario));
  const ids = started.filter((id) => id !== undefined);
  await Promise.all(ids.map((id) => simulator.finished(id)));
  print({ kind: 'finished', meetings: ids.length });
  if (flags.exit) await end();
}

/** An event without media and texts; GET /sent has the whole report. */
function describe(event: SimulatorEvent): Readonly<Record<string, unknown>> {
  switch (event.kind) {
    case 'stream_started':
      return event;
    case 'stream_stopped': {
      const { sources, transcript, chat } = event.sent;
      return {
        kind: event.kind,
        rtmsStreamId: event.rtmsStreamId,
        sources: sources.map(({ mediaType, userId, channelId, frames, bytes, sha256 }) => ({
          mediaType,
          userId,
          channelId,
          frames,
          bytes,
          sha256,
        })),
        transcriptLines: transcript.filter(({ sent }) => sent).length,
        chatMessages: chat.filter(({ sent }) => sent).length,
      };
    }
    case 'webhook': {
      const { event: webhook, attempts } = event.delivery;
      return {
        kind: 'webhook',
        event: webhook.event,
        rtmsStreamId: webhook.payload['rtms_stream_id'],
        attempt: attempts.length,
        status: attempts.at(-1)?.status,
      };
    }
  }
}

function appFrom(env: Partial<UserEnv>): SimulatorApp {
  const [webhookSecretToken] = env.ZM_RTMS_WEBHOOK_SECRET?.split(',') ?? [];
  return {
    clientId: env.ZM_RTMS_CLIENT ?? EXAMPLE_APP.clientId,
    clientSecret: env.ZM_RTMS_SECRET ?? EXAMPLE_APP.clientSecret,
    webhookSecretToken: webhookSecretToken ?? EXAMPLE_APP.webhookSecretToken,
    videoSdkKey: env.ZM_RTMS_VIDEO_SDK_KEY ?? EXAMPLE_APP.videoSdkKey,
    videoSdkSecret: env.ZM_RTMS_VIDEO_SDK_SECRET ?? EXAMPLE_APP.videoSdkSecret,
  };
}

function print(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

try {
  await main();
} catch (error) {
  const isExpected =
    error instanceof ServiceError || error instanceof SyntaxError || error instanceof TypeError;
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
}
