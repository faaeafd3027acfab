import assert from 'node:assert/strict';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { events, type Frame, frames, type ReceivedEvent } from '../../../sdk/consumer/index.ts';
import { SequenceRanges } from '../../../sdk/consumer/records/sequence-ranges.ts';
import type { EventData } from '../../../shared/record/event-data.ts';
import { inPython } from '../../support/python-frames.ts';
import { runCommand, startCommand } from '../command.ts';
import { pythonProject, pythonVersions } from '../installs.ts';
import { LOCAL_AWS } from '../local-aws-environment.ts';
import { ALL_MEDIA, LiveMeeting, waitUntil } from '../meeting/live-meeting.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { parseLines } from '../user-records.ts';

const PROJECT = fileURLToPath(new URL('../../../docs/examples/python/', import.meta.url));
const RESTARTS = fileURLToPath(new URL('restarts.py', import.meta.url));
const PACKAGES = ['boto3==1.44.5', 'mypy==2.4.1'] as const;
const RECORDS = 40;
const FRAMES_EACH = 300;
const NO_ENDPOINT = 3;

type Printed = Record<string, unknown>;

const install = () => pythonProject('package', PROJECT, PACKAGES);

/** The Python package of docs/examples/python, installed by pip, reads a meeting with boto3. */
export const pythonPackagePeer: Peer = {
  name: 'python-package',
  needs: ['python'],
  isTimeless: true,
  install,
  async run(work) {
    const programs = await install();
    const python = join(programs, 'python');
    // In another folder than its sources, so that what is installed is what is imported.
    const cwd = work.scratch;
    const types = await runCommand(
      join(programs, 'mypy'),
      ['--strict', '--disable-error-code=import-untyped', '-p', 'rtms_kinesis'],
      { cwd },
    );
    assert.match(types.stdout, /no issues/);

    await using meeting = await LiveMeeting.start(work.scratch, { scenario: ALL_MEDIA });
    const { aws } = meeting.stack;
    const { media, events: eventsStream } = aws.streams;
    const endpoint = aws.endpoints.kinesis;
    const read = (kind: string, stream: string, ...more: string[]) =>
      ['-m', 'rtms_kinesis', kind, stream, '--endpoint-url', endpoint, ...more] as const;
    const options = { cwd, env: LOCAL_AWS };

    const live = follow(python, read('media', media), options);
    await meeting.writtenMore(RECORDS);
    await meeting.split(await meeting.firstKey());
    await meeting.writtenMore(RECORDS);
    await meeting.killOwner();
    await meeting.end();

    const stop = { client: meeting.kinesis, stopAtTip: true };
    const ours: Frame[] = [];
    for await (const frame of frames({ ...stop, streamName: media })) ours.push(frame);
    const ourEvents: ReceivedEvent[] = [];
    for await (const event of events({ ...stop, streamName: eventsStream })) ourEvents.push(event);

    const [whole, theirEvents, restarted] = await Promise.all([
      runCommand(python, read('media', media, '--stop-at-tip'), options),
      runCommand(python, read('events', eventsStream, '--stop-at-tip'), options),
      runCommand(python, [RESTARTS, endpoint, media, eventsStream, String(FRAMES_EACH)], options),
    ]);
    assertSameFrames(parseLines(whole.stdout), ours);
    await waitUntil('everything from the live reader', () => live.lines.length >= ours.length);
    assertSameFrames(live.lines, ours);
    live.kill();
    const ids = parseLines<{ id: string }>(theirEvents.stdout).map(({ id }) => id);
    assert.deepEqual(
      ids,
      ourEvents.map(({ id }) => id),
      'the events, in order',
    );

    const restarts = JSON.parse(restarted.stdout);
    assert.deepEqual(restarts.frames.toSorted(), ours.map(identityOf).toSorted());
    assert.ok(restarts.readers > 5, 'the reader was restarted');
    const missing = missingNumbers(ours, ourEvents);
    assert.deepEqual(restarts.missing.toSorted(), missing, 'what the package finds missing');

    const nobody = await runCommand(python, read('media', 'no-such-stream'), {
      ...options,
      codes: [NO_ENDPOINT],
    });
    assert.match(nobody.stderr, /kinesis\/stream-missing/);

    const versions = await pythonVersions(python);
    const software = 'Python with boto3 (PyPI) and the package of docs/examples/python';
    const epochs = new Set(ours.map(({ epoch }) => epoch)).size;
    return [
      {
        software,
        version: versions('boto3'),
        what: 'The package, installed by pip, reads a meeting through a split and a killed runner, while it is written and afterwards: every frame with every field, each event, in the order of our reader.',
        figures: `${ours.length} frames of ${epochs} epochs, ${bytesOf(ours)} bytes, and ${ids.length} events, all equal`,
      },
      {
        software,
        version: versions('boto3'),
        what: 'Stopped and started again at its checkpoints beside two other readers, it hands out each frame exactly once.',
        figures: `${restarts.readers} readers, ${restarts.frames.length} frames, ${restarts.retries} throttled calls repeated; ${missing.length} numbers missing, as the kit finds`,
      },
      {
        software: 'mypy (PyPI)',
        version: versions('mypy'),
        what: 'finds nothing in the installed package with `--strict`',
        figures: types.stdout.trim(),
      },
    ] satisfies ProofLine[];
  },
};

/** Starts a program that prints JSON lines, and collects them. */
function follow(
  command: string,
  args: readonly string[],
  options: Parameters<typeof runCommand>[2],
) {
  const child = startCommand(command, args, options);
  const lines: Printed[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => void lines.push(JSON.parse(line)));
  child.stderr.resume();
  return { lines, kill: () => child.kill('SIGKILL') };
}

/** The same frames, and those of each partition key in the same order. */
function assertSameFrames(theirs: readonly Printed[], ours: readonly Frame[]): void {
  assert.equal(theirs.length, ours.length, 'frames');
  const wanted = Map.groupBy(ours, ({ partitionKey }) => partitionKey);
  const found = Map.groupBy(theirs, (frame) => frame['partition_key']);
  for (const [key, of] of wanted) {
    for (const [index, frame] of of.entries()) {
      assert.deepEqual(plain(found.get(key)?.[index]), inPython(frame));
    }
  }
}

/** What the program prints, in the form of {@link inPython}. */
function plain(printed: Printed = {}): Printed {
  const { sha256, bytes: _, recovered, ...fields } = printed;
  const present = Object.entries(fields).filter(([, value]) => value !== null);
  return {
    ...Object.fromEntries(present),
    payload: sha256,
    ...(recovered === true && { recovered }),
  };
}

function identityOf({ epoch, mediaType, userId, channelId, sequence }: Frame): string {
  return `${epoch}/${mediaType}/${userId ?? channelId}/${sequence}`;
}

/** Every number that is not there up to the last one of its source, and up to what the source's ledger counts as received. */
function missingNumbers(ours: readonly Frame[], lines: readonly ReceivedEvent[]): string[] {
  const sources = new Map<string, { seen: SequenceRanges; received: number }>();
  const sourceOf = (name: string) => {
    const source = sources.get(name) ?? { seen: new SequenceRanges(), received: 0 };
    sources.set(name, source);
    return source;
  };
  for (const frame of ours) {
    const { epoch, mediaType, userId, channelId, sequence } = frame;
    sourceOf(`${epoch}/${mediaType}/${userId ?? channelId}`).seen.add(sequence);
  }
  for (const { epoch, data } of lines) {
    const { ledger = [] } = data as Partial<EventData['session_ended']>;
    for (const { mediaType, userId, channelId, received } of ledger) {
      if (!['audio', 'video', 'deskshare'].includes(mediaType)) continue;
      sourceOf(`${epoch}/${mediaType}/${userId ?? channelId}`).received = received;
    }
  }
  return [...sources]
    .flatMap(([name, { seen, received }]) =>
      seen
        .missing(Math.max(seen.last, received))
        .flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, index) => `${name}/${from + index}`),
        ),
    )
    .sort();
}

const bytesOf = (all: readonly Frame[]) =>
  all.reduce((sum, { payload }) => sum + payload.length, 0);
