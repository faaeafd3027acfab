import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import { ServiceError } from '../../shared/errors.ts';
import { layOut } from '../../shared/table.ts';
import { DEFAULT_APP } from '../../shared/zoom/credentials.ts';
import { webhookUrlOf } from '../../shared/zoom/webhook-request.ts';
import { namedScenario } from '../../simulator/control-server.ts';
import type { ScenarioInput } from '../../simulator/scenario/scenario.ts';
import { type Simulator, type SimulatorEvent, startSimulator } from '../../simulator/simulator.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { required } from '../deployment/deployment.ts';
import { readZoomApp } from '../deployment/zoom-apps.ts';
import { checkTarget, SimulatedMeetings } from '../simulation.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { parseDuration } from '../terminal/time.ts';

const MAX_MEETINGS = 2_000;
/** Time between two starts, because the webhook is throttled. Zoom's own starts are spread too. */
const START_EVERY_MS = 20;

interface SimulateFlags extends Flags {
  readonly app: string;
  readonly meetings: string;
  readonly scenario: string;
  readonly duration: string;
  readonly product: string;
  readonly participants: string;
  readonly video?: true;
  readonly signalingPort: string;
  readonly mediaPort: string;
  readonly publicSignalingUrl?: string;
  readonly publicMediaUrl?: string;
}

export function simulateCommand(): Command {
  return createCommand('simulate', {
    summary: 'play simulated meetings against a deployment',
    description:
      'Plays meetings of a simulated Zoom against a deployment, and says what was sent and taken. ' +
      'The deployment must allow-list the host of the simulator (its ALLOWED_HOSTS): one that records real ' +
      'meetings does not, and is refused. The simulator listens on loopback: for a deployment elsewhere ' +
      'give two tunnels that lead to it. Exit code 1 when a meeting was refused or not joined, 130 when it was interrupted.',
    examples: [
      'rtms simulate --local',
      'rtms simulate --local --meetings 50 --duration 2m --video',
      'rtms simulate --local --scenario scripted',
      'rtms simulate --config dev.json --signaling-port 9001 --public-signaling-url wss://a.tunnel.example \\',
      '    --media-port 9002 --public-media-url wss://b.tunnel.example',
    ],
  })
    .option('--app <name>', 'Zoom app of the meetings, by its name in the secret', DEFAULT_APP)
    .option('-n, --meetings <count>', 'how many meetings at once', '1')
    .option(
      '--scenario <name>',
      'synthetic, or scripted: the 22 s that npm start plays',
      'synthetic',
    )
    .option('--duration <duration>', 'length of a synthetic meeting', '10s')
    .option('--product <name>', `product of a synthetic meeting: ${PRODUCTS.join(', ')}`, 'meeting')
    .option('--participants <count>', 'participants of a synthetic meeting', '2')
    .option('--video', 'with cameras in a synthetic meeting')
    .option('--signaling-port <port>', 'port of the simulator on loopback; 0 picks one', '0')
    .option('--media-port <port>', 'port of its media servers on loopback; 0 picks one', '0')
    .option('--public-signaling-url <url>', 'wss: address of a tunnel to the signaling port')
    .option('--public-media-url <url>', 'wss: address of a tunnel to the media port')
    .action((flags: SimulateFlags) => runCommand(flags, (context) => simulate(context, flags)));
}

async function simulate(context: Context, flags: SimulateFlags): Promise<ExitCode> {
  const { deployment, output, signal } = context;
  const count = wholeNumber('--meetings', flags.meetings, 1, MAX_MEETINGS);
  const scenario = readScenario(flags);
  const webhookUrl = webhookUrlOf(required(deployment, 'webhookUrl'), flags.app);
  const publicUrls = readPublicUrls(flags);
  checkTarget(webhookUrl, publicUrls?.signaling, required(deployment, 'allowedHosts'));
  const { clientId, clientSecret, webhookSecretTokens, videoSdkKey, videoSdkSecret } =
    await readZoomApp(context, flags.app, process.env);
  const meetings = new SimulatedMeetings();
  const simulator = await startSimulator({
    webhookUrls: [webhookUrl],
    app: {
      clientId,
      clientSecret,
      ...(webhookSecretTokens[0] !== undefined && { webhookSecretToken: webhookSecretTokens[0] }),
      ...(videoSdkKey !== undefined && { videoSdkKey }),
      ...(videoSdkSecret !== undefined && { videoSdkSecret }),
    },
    signalingPort: wholeNumber('--signaling-port', flags.signalingPort, 0, 65_535),
    mediaPort: wholeNumber('--media-port', flags.mediaPort, 0, 65_535),
    ...(publicUrls && { publicUrls }),
    onEvent: (event) => {
      meetings.see(event);
      tell(context, event);
    },
  });
  try {
    await play(simulator, meetings, scenario, count, signal);
  } finally {
    await simulator.close();
  }
  const rows = meetings.results();
  const failed = rows.filter((row) => row.problem !== undefined).length;
  output.show({ kind: 'summary', meetings: rows.length, failed, results: rows }, (width) => [
    ...layOut(
      ['rtms_stream_id', 'frames', 'KiB', 'lines', ''],
      rows.map((row) => [
        row.rtmsStreamId,
        row.frames,
        Math.round(row.bytes / 1_024),
        row.lines,
        row.problem ?? 'played',
      ]),
      width,
    ),
    ...(signal.aborted ? ['interrupted: what had not ended was ended early'] : []),
    `${rows.length - failed} of ${rows.length} meetings were taken and played`,
  ]);
  if (signal.aborted) return EXIT.INTERRUPTED;
  return failed === 0 ? EXIT.OK : EXIT.FOUND;
}

async function play(
  simulator: Simulator,
  meetings: SimulatedMeetings,
  scenario: ScenarioInput,
  count: number,
  signal: AbortSignal,
): Promise<void> {
  const finished: Promise<unknown>[] = [];
  for (let number = 0; number < count && !signal.aborted; number++) {
    const rtmsStreamId = simulator.start(scenario);
    if (rtmsStreamId !== undefined) finished.push(simulator.finished(rtmsStreamId));
    await sleep(START_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  const look = setInterval(() => meetings.look(simulator.streams()), 100);
  const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve));
  if (!signal.aborted) await Promise.race([Promise.all(finished), stopped]);
  clearInterval(look);
  await answered(simulator, signal);
  if (signal.aborted) meetings.interrupted();
}

/** Waits for the answers to the last webhooks, a little longer than the 3 s that Zoom waits. */
async function answered({ deliveries }: Simulator, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(4_000)]);
  while (deliveries.some(({ attempts }) => attempts.length === 0) && !deadline.aborted) {
    await sleep(50, undefined, { signal: deadline }).catch(() => undefined);
  }
}

function tell({ output }: Context, event: SimulatorEvent): void {
  if (event.kind === 'stream_started') {
    const { rtmsStreamId, product } = event;
    output.show({ kind: event.kind, rtmsStreamId, product }, () => `${rtmsStreamId} started`);
  } else if (event.kind === 'webhook') {
    const { event: webhook, attempts } = event.delivery;
    const rtmsStreamId = webhook.payload['rtms_stream_id'];
    const status = attempts.at(-1)?.status ?? 0;
    output.show(
      { kind: 'webhook', event: webhook.event, rtmsStreamId, attempt: attempts.length, status },
      () => `${rtmsStreamId} ${webhook.event} answered with ${status || 'nothing'}`,
    );
  }
}

function readScenario(flags: SimulateFlags): ScenarioInput {
  if (!(PRODUCTS as readonly string[]).includes(flags.product)) {
    const what = `no product "${flags.product}": ${PRODUCTS.join(', ')}`;
    throw new ServiceError('config/invalid', what);
  }
  return namedScenario({
    scenario: flags.scenario,
    options: {
      durationMs: parseDuration(flags.duration),
      product: flags.product,
      participants: wholeNumber('--participants', flags.participants, 1, 100),
      video: flags.video === true,
      transcriptEveryMs: 1_000,
      playable: true,
    },
  });
}

function readPublicUrls({ publicSignalingUrl: signaling, publicMediaUrl: media }: SimulateFlags) {
  if (signaling === undefined && media === undefined) return undefined;
  if (signaling !== undefined && media !== undefined) return { signaling, media };
  throw new ServiceError(
    'config/invalid',
    '--public-signaling-url and --public-media-url go together',
  );
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new ServiceError('config/invalid', `${name} takes a whole number from ${least} to ${most}`);
}
