import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ConsoleServer } from '../console/server/http.ts';
import { ServiceError } from '../shared/errors.ts';
import { folderNameOf } from '../shared/plain-text.ts';
import { newSeed } from '../simulator/scenario/forms.ts';
import type { SentReport } from '../simulator/sent-ledger.ts';
import { stopSignal, whenAborted } from './child.ts';
import { leaveTheCloud } from './environment.ts';
import { type LocalArchive, startLocalArchive } from './local-archive.ts';
import { startLocalConsole } from './local-console.ts';
import { Observer } from './observe/observer.ts';
import { type DevOptions, readDevOptions, USAGE } from './options.ts';
import { happeningOf, jsonReporter, type ReadyInfo, type Reporter } from './report/reporter.ts';
import { terminalReporter } from './report/terminal-reporter.ts';
import type { RunnerInfo } from './runner-fleet.ts';
import { playDemo, type SimulatedMeeting, startSimulatedMeeting } from './simulated-meeting.ts';
import { type Stack, startStack } from './stack.ts';
import { summarize } from './summarize.ts';

/** `npm start`: runs the whole path on this machine, from webhook to files. See README. */

const PROGRESS_INTERVAL_MS = 500;
/** How long the run waits after the meeting for the session's last records, ms. */
const LAST_RECORDS_MS = 30_000;
const STACK_FILE = 'stack.json';
const S3_FOLDER = 's3';
/** The exit codes of `rtms verify`. */
const VERDICT_EXIT_CODE = { complete: 0, incomplete: 1, contradictory: 4 } as const;

leaveTheCloud();
try {
  const options = readDevOptions(process.argv.slice(2), process.env);
  if (options) process.exitCode = await run(options);
  else process.stdout.write(`${USAGE}\n`);
} catch (error) {
  if (!(error instanceof ServiceError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
// Without this line, pooled connections of the AWS clients keep the process alive for a while.
process.exit();

/** @returns the exit code */
async function run(options: DevOptions): Promise<number> {
  const reporter = options.json ? jsonReporter(process.stdout) : terminalReporter(process.stdout);
  const stopped = stopSignal();
  await mkdir(options.outDir, { recursive: true });
  const log = await openLog(options);
  const opening = options.archive ? openArchive(options, reporter, log) : undefined;
  // A stack that cannot start is told first.
  opening?.catch(() => undefined);
  const stack = await startStack({ ...options, onLog: log });
  const stackFile = join(options.outDir, STACK_FILE);
  let page: ConsoleServer | undefined;
  let archive: LocalArchive | undefined;
  try {
    archive = await opening;
    page = await startLocalConsole(stack, {
      act: options.act,
      stackFile,
      port: options.consolePort,
    });
    reportRunners(stack, reporter);
    const info: ReadyInfo = {
      consoleUrl: page.url,
      webhookUrl: stack.webhookUrl,
      region: stack.aws.region,
      endpoints: {
        sqs: stack.aws.endpoints.sqs,
        kinesis: stack.aws.endpoints.kinesis,
        dynamodb: stack.aws.endpoints.dynamodb,
      },
      queueUrl: stack.aws.queueUrl,
      table: stack.aws.table,
      streams: stack.aws.streams,
      ...(archive && { archive: archive.url }),
      runners: stack.fleet.runners,
    };
    await describeStack(options, stack, info, archive);
    reporter.ready(info);
    // Not before the line that says that all is up: the archiver reads what was written before it, too.
    if (options.live || options.demo) await archive?.start(stack.aws);
    if (options.live) return await live(options, stack, reporter, stopped);
    if (options.demo) return await playDemo(options, stack, stopped, log);
    return await simulated(options, stack, reporter, stopped, log, archive);
  } finally {
    await rm(stackFile, { force: true });
    await page?.close();
    await archive?.close();
    await stack.close();
  }
}

/** Writes the file by which `rtms --local` finds this stack. It is removed when the stack ends. */
async function describeStack(
  options: DevOptions,
  { aws }: Stack,
  info: ReadyInfo,
  archive: LocalArchive | undefined,
): Promise<void> {
  const { allowedHosts, outDir } = options;
  const { secretsManager } = aws.endpoints;
  const endpoints = { ...info.endpoints, secretsManager, ...(archive && { s3: archive.s3 }) };
  const description = { ...info, endpoints, secretId: aws.secretId, allowedHosts };
  await writeFile(join(outDir, STACK_FILE), `${JSON.stringify(description, undefined, 2)}\n`);
}

/** Starts S3 and EventBridge of the stack, and reports each recording that is ready. */
function openArchive(options: DevOptions, reporter: Reporter, log: Log): Promise<LocalArchive> {
  return startLocalArchive({
    directory: join(options.outDir, S3_FOLDER),
    onLine: (line, json) => log('archiver', line, json),
    onReady({ detail }) {
      const { bucket, folder, verdict, frames, events } = detail;
      const text = `recording ready: s3://${bucket}/${folder} (${frames} frames, ${events} events, ${verdict})`;
      reporter.happening({ kind: 'recording_ready', atMs: Date.now(), fields: detail, text });
    },
  });
}

/** Serves Zoom until a signal comes. With `--json` nothing reads the streams here: the calling program does. */
async function live(
  options: DevOptions,
  stack: Stack,
  reporter: Reporter,
  stopped: AbortSignal,
): Promise<number> {
  if (options.json) {
    await whenAborted(stopped);
    return 0;
  }
  const observer = observe(stack, reporter, (rtmsStreamId) =>
    join(options.outDir, folderNameOf(rtmsStreamId)),
  );
  await Promise.race([whenAborted(stopped), refresh(observer, reporter, stopped)]);
  // A stopping runner hands its sessions over. Those last records have to be read before the summary.
  await stack.fleet.stop();
  await delay(2 * PROGRESS_INTERVAL_MS);
  const ledger = observer.ledger();
  const files = await observer.close();
  const summary = summarize(ledger, observer.stats, files);
  reporter.summary(summary);
  return VERDICT_EXIT_CODE[summary.verdict];
}

/** Plays one scripted meeting, and compares at the end what was read with what the simulator sent. */
async function simulated(
  options: DevOptions,
  stack: Stack,
  reporter: Reporter,
  stopped: AbortSignal,
  log: Log,
  archive: LocalArchive | undefined,
): Promise<number> {
  const directory = resolve(options.outDir);
  await clearEarlierFiles(directory);
  const observer = observe(stack, reporter, () => directory);
  const ended = Promise.withResolvers<void>();
  let rtmsStreamId = '';
  let starting: Promise<void> | undefined;
  observer.on('event', (event) => {
    rtmsStreamId = event.rtmsStreamId;
    // The archiver takes a core for a second when it starts. Media flows by now, and has buffers that wait for it.
    if (event.name === 'session_started') starting ??= archive?.start(stack.aws);
    if (event.name === 'session_ended' || event.name === 'session_missed') ended.resolve();
  });
  // The simulator draws the forms of its messages anew in every run. The seed repeats a run.
  const forms = process.env['SIMULATOR_FORMS'] || newSeed();
  reporter.happening({
    kind: 'simulator_forms',
    atMs: Date.now(),
    fields: { seed: forms },
    text: `the simulator uses the message forms of SIMULATOR_FORMS=${forms}`,
  });
  const meeting = await startSimulatedMeeting(
    stack.webhookUrl,
    options.credentials,
    forms,
    (line, json) => log('simulator', line, json),
  );
  const over = new AbortController();
  const refreshing = refresh(observer, reporter, AbortSignal.any([stopped, over.signal]), meeting);
  await Promise.race([whenAborted(stopped), meeting.finished]);
  if (!stopped.aborted) await untilAllIsRead(observer, meeting, ended.promise, stopped);
  over.abort();
  await refreshing;
  const sent = await meeting.sent();
  reporter.progress(observer.stats.progress((mediaType) => sentOf(sent, mediaType)));
  await meeting.close();
  const ledger = observer.ledger();
  const recorded = AbortSignal.any([stopped, AbortSignal.timeout(LAST_RECORDS_MS)]);
  const [files] = await Promise.all([
    observer.close(),
    starting?.then(() => archive?.ready(rtmsStreamId, recorded)),
    stack.fleet.stop(),
  ]);
  const summary = summarize(ledger, observer.stats, files, stopped.aborted ? undefined : sent);
  reporter.summary(summary);
  return VERDICT_EXIT_CODE[summary.verdict];
}

/** Waits for the last event, `session_ended`, and then for the frames: the media stream may lag behind the events. */
async function untilAllIsRead(
  observer: Observer,
  meeting: SimulatedMeeting,
  ended: Promise<void>,
  stopped: AbortSignal,
): Promise<void> {
  const deadline = AbortSignal.any([stopped, AbortSignal.timeout(LAST_RECORDS_MS)]);
  await Promise.race([ended, whenAborted(deadline)]);
  const { sources } = await meeting.sent();
  const sentFrames = sources.reduce((sum, { frames }) => sum + frames, 0);
  const readFrames = () =>
    [...observer.stats.sources.values()].reduce((sum, { frames }) => sum + frames, 0);
  while (readFrames() < sentFrames && !deadline.aborted) await delay(50);
}

function observe(
  stack: Stack,
  reporter: Reporter,
  directoryOf: (rtmsStreamId: string) => string,
): Observer {
  const observer = new Observer(stack.aws, directoryOf);
  observer.on('event', (event) => {
    if (event.name === 'transcript') {
      const { text, userName, userId, channelId } = event.data;
      const speaker = userName || String(userId ?? channelId ?? 'somebody');
      reporter.transcript({ atMs: Date.now(), speaker, text });
      return;
    }
    const happening = happeningOf(event, Date.now());
    if (happening) reporter.happening(happening);
  });
  observer.on('badRecord', ({ message, detail }) => {
    reporter.happening({ kind: 'bad_record', atMs: Date.now(), fields: detail, text: message });
  });
  return observer;
}

async function refresh(
  observer: Observer,
  reporter: Reporter,
  until: AbortSignal,
  meeting?: SimulatedMeeting,
): Promise<void> {
  while (!until.aborted) {
    const sent = await meeting?.sent().catch(() => undefined);
    reporter.progress(observer.stats.progress((mediaType) => sent && sentOf(sent, mediaType)));
    await delay(PROGRESS_INTERVAL_MS, undefined, { signal: until }).catch(() => undefined);
  }
}

function sentOf(sent: SentReport, mediaType: string): { frames: number; bytes: number } {
  if (mediaType === 'transcript' || mediaType === 'chat') {
    const lines = sent[mediaType].filter((line) => line.sent);
    const bytes = lines.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    return { frames: lines.length, bytes };
  }
  const sources = sent.sources.filter((source) => source.mediaType === mediaType);
  return {
    frames: sources.reduce((sum, { frames }) => sum + frames, 0),
    bytes: sources.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function reportRunners({ fleet }: Stack, reporter: Reporter): void {
  fleet.on('started', ({ taskId, pid }: RunnerInfo) => {
    const text = `${taskId} started (pid ${pid})`;
    reporter.happening({ kind: 'runner_started', atMs: Date.now(), fields: { taskId, pid }, text });
  });
  fleet.on('exited', ({ taskId, pid, code, signal }) => {
    const text = `${taskId} ended (${signal ?? `exit code ${code}`})`;
    const fields = { taskId, pid, code, signal };
    reporter.happening({ kind: 'runner_exited', atMs: Date.now(), fields, text });
  });
}

type Log = (process: string, line: string, json: Record<string, unknown> | undefined) => void;

/** With `--json` the lines of the processes go to stderr, otherwise into `stack.log` beside the produced files. */
async function openLog({ json, outDir }: DevOptions): Promise<Log> {
  if (json) return (_, line) => void process.stderr.write(`${line}\n`);
  const file = createWriteStream(join(outDir, 'stack.log'));
  return (name, line) => void file.write(`${name} ${line}\n`);
}

/** Removes the files of an earlier simulated meeting, and nothing else in the folder. */
async function clearEarlierFiles(directory: string): Promise<void> {
  const ours =
    /^(?:(?:audio|video|share)-.+|meeting.*\.wav|transcript\.\w+|chat\.jsonl|gaps\.json)$/;
  const names = (await readdir(directory)).filter((name) => ours.test(name));
  await Promise.all(names.map((name) => rm(join(directory, name), { recursive: true })));
}
