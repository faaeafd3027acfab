import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context, FirehoseTransformationResult } from 'aws-lambda';
import { COLUMNS } from '../../../docs/examples/firehose/columns.ts';
import { handler } from '../../../docs/examples/firehose/transform.ts';
import { events, type ReceivedEvent } from '../../../sdk/consumer/index.ts';
import { firehoseEvent } from '../../support/firehose-event.ts';
import { eventBytes } from '../../support/test-records.ts';
import { runCommand } from '../command.ts';
import { lintExample } from '../examples/lint-example.ts';
import { pythonPrograms, pythonVersions } from '../installs.ts';
import { ALL_MEDIA, LiveMeeting } from '../meeting/live-meeting.ts';
import { readStored } from '../meeting/written-records.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { installValidators } from '../validators/programs.ts';

const EXAMPLE = fileURLToPath(new URL('../../../docs/examples/firehose/', import.meta.url));
const TABLES = fileURLToPath(new URL('tables.py', import.meta.url));
const PACKAGES = [
  'pyarrow==26.0.1',
  'duckdb==2.0.0',
  'pyiceberg[sql-sqlite,pyarrow]==0.12.0',
] as const;
const RECORDS = 60;
const KEPT = ['transcript', 'chat', 'session_revoked'];

const install = async () => ({
  python: join(await pythonPrograms('tables', PACKAGES), 'python'),
  lint: join(await installValidators(), 'cfn-lint'),
});

interface Tables {
  readonly rows: readonly { readonly event_id: string }[];
  readonly asked: readonly (readonly [eventId: string, said: string])[];
  readonly iceberg: readonly string[];
  readonly versions: { readonly pyarrow: string; readonly duckdb: string };
}

/** Tables of others made of what docs/examples/firehose writes of a recorded meeting; its stack under cfn-lint. */
export const firehosePeer: Peer = {
  name: 'firehose',
  needs: ['python'],
  isTimeless: true,
  atMostMinutes: 20,
  install,
  async run(work) {
    const { python, lint } = await install();
    const linted = await lintExample(lint, EXAMPLE, work.scratch);

    await using meeting = await LiveMeeting.start(work.scratch, {
      scenario: ALL_MEDIA,
      runners: 1,
    });
    await meeting.writtenMore(RECORDS);
    await meeting.end();
    const { events: streamName } = meeting.stack.aws.streams;
    const stored = await readStored(meeting.kinesis, streamName);
    const ours: ReceivedEvent[] = [];
    for await (const event of events({ client: meeting.kinesis, streamName, stopAtTip: true })) {
      ours.push(event);
    }
    const said = ours.flatMap((event) =>
      event.name === 'transcript' || event.name === 'chat'
        ? { id: event.id, said: event.data.text }
        : [],
    );
    assert.ok(said.length > 5, 'lines of a transcript');

    // A second meeting was revoked, and the second delivery repeats all of the first, as Firehose may.
    const other = { rtmsStreamId: 'revoked' };
    const revoked = [
      eventBytes('transcript', { text: 'secret', userId: 7, timestampMs: 5 }, 1, other),
      eventBytes('session_revoked', { timestampMs: 5 }, 2, other),
    ].map((data) => ({ data, partitionKey: 'revoked' }));
    const first = await rowsOf([...stored, ...revoked]);
    const input = JSON.stringify({
      columns: COLUMNS,
      deliveries: [first, await rowsOf(stored, 60_000)],
    });
    const args = [TABLES, work.scratch, join(EXAMPLE, 'transcripts.sql')];
    const { stdout } = await runCommand(python, args, { input });
    const tables: Tables = JSON.parse(stdout);

    const kept = ours.filter(({ name }) => KEPT.includes(name)).map(({ id }) => id);
    assert.equal(tables.rows.length, first.length + kept.length, 'both deliveries are there');
    assert.deepEqual(
      tables.asked,
      said.map((line) => [line.id, line.said]).sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      'the view has each line once, and nothing of the revoked meeting',
    );
    assert.deepEqual(tables.iceberg, [...kept, 'revoked/1/1', 'revoked/1/2'].sort());

    const versions = await pythonVersions(python);
    return [
      {
        software: 'Apache Arrow and DuckDB (PyPI)',
        version: `${tables.versions.pyarrow}, ${tables.versions.duckdb}`,
        what: 'What the transformation of docs/examples/firehose makes of a recorded meeting fits the schema of its Glue table, as Parquet; its view has each line once although all was delivered twice, and none of a revoked meeting.',
        figures: `${stored.length} records, ${tables.rows.length} rows delivered, ${tables.asked.length} lines`,
      },
      {
        software: 'Apache Iceberg, by PyIceberg (PyPI)',
        version: versions('pyiceberg'),
        what: 'An Iceberg table of the same schema, with `event_id` as its identifier, holds each event once after both deliveries were upserted.',
        figures: `${tables.iceberg.length} rows`,
      },
      linted,
    ] satisfies ProofLine[];
  },
};

/** What the function answers to these records in one batch. */
async function rowsOf(
  records: readonly { readonly data: Uint8Array; readonly partitionKey: string }[],
  laterMs = 0,
): Promise<object[]> {
  const event = firehoseEvent(records, Date.UTC(2026, 10, 22) + laterMs);
  const answer = (await handler(event, {} as Context, () => {})) as FirehoseTransformationResult;
  const failed = answer.records.filter(({ result }) => result === 'ProcessingFailed');
  assert.deepEqual(failed, [], 'every record of a runner can be read');
  return answer.records
    .filter(({ result }) => result === 'Ok')
    .flatMap(({ data = '' }) => Buffer.from(data, 'base64').toString().trim().split('\n'))
    .map((line) => JSON.parse(line));
}
