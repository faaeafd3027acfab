import { resolve } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { meetingActions } from '../console/server/actions.ts';
import { Downloads } from '../console/server/downloads.ts';
import { type ConsoleServer, startConsoleServer } from '../console/server/http.ts';
import { LiveConsole } from '../console/server/live-console.ts';
import { readSessionRows } from '../console/server/table.ts';
import { ROW_TRANSLATION } from '../shared/session-table/parse-row.ts';
import { chaosActions } from './chaos-actions.ts';
import type { Stack } from './stack.ts';

/** Nobody else reads much here, so lines come sooner than in a deployment. */
const POLL_MS = 400;

interface LocalConsoleOptions {
  /** Whether the page has buttons. */
  readonly act: boolean;
  /** The file by which `rtms` finds the stack. */
  readonly stackFile: string;
  /** 0 picks a free port. */
  readonly port: number;
}

/** The console of the local stack: everything that `rtms console` shows, and buttons that break things. */
export async function startLocalConsole(
  { aws, fleet }: Stack,
  { act, stackFile, port }: LocalConsoleOptions,
): Promise<ConsoleServer> {
  const { region, credentials, endpoints, table, streams, kinesis: server } = aws;
  const kinesis = new KinesisClient({
    region,
    credentials,
    endpoint: endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  const dynamodb = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const documents = DynamoDBDocumentClient.from(dynamodb, ROW_TRANSLATION);
  const live = new LiveConsole({
    kinesis,
    mediaStream: streams.media,
    eventsStream: streams.events,
    pollMs: POLL_MS,
    readRows: () => readSessionRows(documents, table, false),
    processes: () =>
      fleet.runners.map(({ taskId, pid }) => ({ taskId, pid, frozen: fleet.isFrozen(taskId) })),
    writeThrottles: (name) => server.stats().streams[name]?.throttled ?? 0,
  });
  const console = await startConsoleServer({
    port,
    live,
    downloads: new Downloads([`--local=${resolve(stackFile)}`]),
    actions: act ? [...meetingActions(documents, table), ...chaosActions(fleet, server)] : [],
    deployment: 'local stack',
    isLocal: true,
  });
  return {
    ...console,
    async close() {
      await console.close();
      kinesis.destroy();
      dynamodb.destroy();
    },
  };
}
