import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Envelope, handler, type Line } from '../../../docs/examples/event-bus/envelopes.ts';
import { DETAIL_TYPE, PATTERNS, SOURCE } from '../../../docs/examples/event-bus/patterns.ts';
import { LINES } from '../../../runner/kinesis/record-format.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import { eventBytes } from '../../support/test-records.ts';
import { runCommand } from '../command.ts';
import { lintExample } from '../examples/lint-example.ts';
import { buildJava } from '../java/java.ts';
import { ALL_MEDIA, LiveMeeting } from '../meeting/live-meeting.ts';
import { readStored, type StoredRecord } from '../meeting/written-records.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { parseLines } from '../user-records.ts';
import { installValidators } from '../validators/programs.ts';

const EXAMPLE = fileURLToPath(new URL('../../../docs/examples/event-bus/', import.meta.url));
const RECORDS = 40;
/** The largest batch of a pipe to an event bus, as the stack has it. */
const BATCH = 10;

/** What a filter of the pipe itself would say instead of the rules: it sees a record of one line as JSON, and no other record. */
const FILTER = { data: { type: [{ prefix: 'rtms.session_' }, 'rtms.gap.v1'] } };

const install = async () => ({
  java: await buildJava(),
  lint: join(await installValidators(), 'cfn-lint'),
});

/** EventBridge's own library judges the patterns of docs/examples/event-bus on events of a recorded meeting; its stack under cfn-lint. */
export const eventBusPeer: Peer = {
  name: 'event-bus',
  needs: ['java', 'maven', 'python'],
  atMostMinutes: 20,
  install,
  async run(work) {
    const { java, lint } = await install();
    const linted = await lintExample(lint, EXAMPLE, work.scratch);

    await using meeting = await LiveMeeting.start(work.scratch, {
      scenario: ALL_MEDIA,
      runners: 1,
    });
    await meeting.writtenMore(RECORDS);
    await meeting.end();
    const { events: streamName } = meeting.stack.aws.streams;
    const stored = [...(await readStored(meeting.kinesis, streamName)), ...rareRecords()];
    const envelopes = await sentToBus(stored);
    const bus = envelopes.map((detail) => ({ source: SOURCE, 'detail-type': DETAIL_TYPE, detail }));

    const match = async (patterns: object, seen: readonly object[]) => {
      const input = [patterns, ...seen].map((one) => JSON.stringify(one)).join('\n');
      const command = java.command('rtms.peers.RuleMatches', []);
      const [name, args, options] = command;
      const { stdout } = await runCommand(name, args, { ...options, input });
      const [version, ...matches] = parseLines<string | string[]>(stdout);
      return { version: String(version), matches: matches as string[][] };
    };
    const { version, matches } = await match(PATTERNS, bus);
    assert.deepEqual(
      matches,
      envelopes.map((envelope) => expectedOf(envelope)),
    );
    const byName = Map.groupBy(matches.flat(), (name) => name);
    assert.deepEqual([...byName.keys()].sort(), Object.keys(PATTERNS).sort(), 'each matched once');

    const asPipe = stored.map(inFilter).filter((one) => one !== undefined);
    const filtered = await match({ Filter: FILTER }, asPipe);
    const wanted = stored.filter((record) => linesOf(record).some(isFiltered)).length;
    const passed = filtered.matches.filter((names) => names.length > 0).length;
    assert.ok(passed < wanted, 'a filter loses records of several lines');

    return [
      {
        software: 'Event Ruler (Maven), which EventBridge matches patterns with',
        version,
        what: 'The rules of docs/examples/event-bus match exactly the envelopes that hold a line of theirs, in a recorded meeting and in records with losses, a revocation and damage.',
        figures: `${stored.length} records, ${envelopes.length} envelopes, ${[...byName].map(([name, all]) => `${name} ${all.length}`).join(', ')}`,
      },
      {
        software: 'Event Ruler (Maven), which EventBridge matches patterns with',
        version,
        what: 'A filter on `data` in the pipe itself passes records of one line alone: AWS says that what is no JSON document is dropped, and several lines are none.',
        figures: `${passed} of ${wanted} wanted records pass`,
      },
      linted,
    ] satisfies ProofLine[];
  },
};

/** Several lines in a record, as the runner joins them; a camera of which nothing came; damage; a line too large for the bus. */
function rareRecords(): StoredRecord[] {
  const gap = { mediaType: 'audio', userId: 7, cause: 'buffer_full', bytes: 1 } as const;
  const times = { fromMs: 1, toMs: 2 };
  const lost = { ...gap, ...times, fromSequence: 4, toSequence: 5, count: 2 };
  const nothing = { ...lost, cause: 'not_received', toSequence: 3, count: 0 } as const;
  const row = { mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 } as const;
  const ledger = Array.from({ length: 4_000 }, () => row);
  const said = { text: 'hello', userId: 7, timestampMs: 5 };
  const joined = (...lines: Buffer[]) => LINES.pack('stream-1', lines, new MemoryPool());
  const datas = [
    joined(eventBytes('transcript', said, 1), eventBytes('gap', lost, 2)),
    // The type of one line and the count of another one are no loss.
    joined(eventBytes('gap', nothing, 3), eventBytes('transcript', said, 4)),
    joined(eventBytes('session_revoked', { timestampMs: 5 }, 5), eventBytes('gap', nothing, 6)),
    joined(eventBytes('session_ended', { stopReason: 6, restartable: false, ledger }, 7)),
    Buffer.from('{"specversion":"1.0"}\n'),
  ];
  return datas.map((data, index) => ({
    shardId: 'shardId-000000000000',
    partitionKey: 'stream-1',
    sequenceNumber: String(index),
    data,
  }));
}

async function sentToBus(stored: readonly StoredRecord[]): Promise<Envelope[]> {
  const envelopes: Envelope[] = [];
  for (let at = 0; at < stored.length; at += BATCH) {
    const batch = stored.slice(at, at + BATCH).map(({ data, ...record }) => ({
      ...record,
      data: Buffer.from(data).toString('base64'),
    }));
    const sent = await handler(batch);
    assert.ok(sent.length <= batch.length, 'never more envelopes than records');
    envelopes.push(...sent);
  }
  return envelopes;
}

/** Which rules an envelope is for, said in code and not in patterns. */
function expectedOf({ events, unreadable }: Envelope): string[] {
  const isOf = (...names: readonly string[]) =>
    events.some(({ type }) => names.includes(String(type).split('.')[1] ?? ''));
  const hasLoss = events.some(
    ({ type, data }) => type === 'rtms.gap.v1' && Number((data as Line)['count']) > 0,
  );
  const named = [
    isOf('session_ended', 'session_missed') && 'Ended',
    hasLoss && 'Losses',
    isOf('session_revoked') && 'Revoked',
    unreadable > 0 && 'Unreadable',
  ];
  return named.filter((name) => name !== false);
}

const linesOf = ({ data }: StoredRecord): Line[] =>
  Buffer.from(data)
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const isFiltered = ({ type }: Line) => /^rtms\.(session_|gap\.v1$)/.test(String(type));

/** A record as a filter of a pipe sees it; undefined when its data is no JSON document, which is dropped. */
function inFilter({ data, partitionKey, sequenceNumber }: StoredRecord): object | undefined {
  try {
    return {
      partitionKey,
      sequenceNumber,
      data: JSON.parse(Buffer.from(data).toString()),
    };
  } catch {
    return undefined;
  }
}
