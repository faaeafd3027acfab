import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import type { ConsoleAction } from '../../console/server/actions.ts';
import { Downloads } from '../../console/server/downloads.ts';
import { type ConsoleServer, startConsoleServer } from '../../console/server/http.ts';
import { LiveConsole, type LiveConsoleParts } from '../../console/server/live-console.ts';
import type { SessionRows } from '../../console/server/table.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import type { EventData, EventName } from '../../shared/record/event-data.ts';
import type { MediaRecord } from '../../shared/record/media-record.ts';
import { startLocalStreams } from './local-streams.ts';
import { eventBytes, mediaRecord } from './test-records.ts';

/** A console over two local streams and rows of the test's own. */
export interface ConsoleWorld extends AsyncDisposable {
  readonly console: ConsoleServer;
  readonly live: LiveConsole;
  readonly client: KinesisClient;
  readonly streams: { readonly media: string; readonly events: string };
  /** What the session table says. A test may replace it. */
  rows: SessionRows | Error;
  /** Origin of the page, and the headers of a request that may ask. */
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Puts one event; numbers of a meeting count by themselves. */
  event<Name extends EventName>(
    rtmsStreamId: string,
    name: Name,
    data: EventData[Name],
    epoch?: number,
  ): Promise<void>;
  /** Puts events of one kind in one record. */
  events<Name extends EventName>(
    rtmsStreamId: string,
    name: Name,
    data: readonly EventData[Name][],
  ): Promise<void>;
  frame(changes: Partial<MediaRecord>): Promise<void>;
  put(streamName: string, data: Uint8Array, key: string): Promise<void>;
}

export async function startConsoleWorld(
  options: { actions?: readonly ConsoleAction[]; parts?: Partial<LiveConsoleParts> } = {},
): Promise<ConsoleWorld> {
  const local = await startLocalStreams();
  const { client } = local;
  const streams = { media: await local.create(2), events: await local.create(1) };
  const sequences = new Map<string, number>();
  const world = { rows: { sessions: [], tasks: [], unreadable: [] } as SessionRows | Error };
  const live = new LiveConsole({
    kinesis: client,
    mediaStream: streams.media,
    eventsStream: streams.events,
    pollMs: 210,
    readRows: async () => {
      if (world.rows instanceof Error) throw world.rows;
      return world.rows;
    },
    ...options.parts,
  });
  const console = await startConsoleServer({
    port: 0,
    live,
    downloads: new Downloads([]),
    actions: options.actions ?? [],
    deployment: 'a test',
    isLocal: true,
  });
  const put = async (StreamName: string, Data: Uint8Array, PartitionKey: string) => {
    await client.send(new PutRecordCommand({ StreamName, Data, PartitionKey }));
  };
  const next = (key: string) => {
    const sequence = (sequences.get(key) ?? 0) + 1;
    sequences.set(key, sequence);
    return sequence;
  };
  return Object.assign(world, {
    console,
    live,
    client,
    streams,
    origin: `http://127.0.0.1:${console.port}`,
    headers: { authorization: `Bearer ${console.url.split('token=')[1]}` },
    put,
    async event<Name extends EventName>(
      rtmsStreamId: string,
      name: Name,
      data: EventData[Name],
      epoch = 1,
    ) {
      const sequence = next(`${rtmsStreamId} ${epoch}`);
      const origin = { rtmsStreamId, epoch, timeMs: Date.now() };
      await put(streams.events, eventBytes(name, data, sequence, origin), rtmsStreamId);
    },
    async events<Name extends EventName>(
      rtmsStreamId: string,
      name: Name,
      data: readonly EventData[Name][],
    ) {
      const origin = { rtmsStreamId, epoch: 1, timeMs: Date.now() };
      const bytes = data.map((each) => eventBytes(name, each, next(`${rtmsStreamId} 1`), origin));
      await put(streams.events, Buffer.concat(bytes), rtmsStreamId);
    },
    async frame(changes: Partial<MediaRecord>) {
      const nowMs = Date.now();
      const record = mediaRecord({ capturedAtMs: nowMs, receivedAtMs: nowMs, ...changes });
      await put(streams.media, encodeMediaRecord(record), record.rtmsStreamId);
    },
    async [Symbol.asyncDispose]() {
      await console.close();
      await local[Symbol.asyncDispose]();
    },
  });
}

/** The data of a `session_started` of a meeting that was asked for at `requestedAtMs`. */
export function started(requestedAtMs: number, topic?: string): EventData['session_started'] {
  return {
    product: 'meeting',
    entityId: 'a/b==',
    media: {},
    requestedAtMs,
    claimedAtMs: requestedAtMs,
    streamingAtMs: requestedAtMs,
    ...(topic !== undefined && { topic }),
  };
}

interface ServerMessage {
  readonly name: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on it
  readonly data: any;
}

/** Follows the console's events as a tab does. */
export async function* followConsole(
  { origin, headers }: Pick<ConsoleWorld, 'origin' | 'headers'>,
  query: string,
  signal: AbortSignal,
): AsyncGenerator<ServerMessage> {
  const { body } = await fetch(`${origin}/api/live?${query}`, { headers, signal });
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of body as AsyncIterable<Uint8Array>) {
      const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined) yield { name, data: JSON.parse(data ?? '') };
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
