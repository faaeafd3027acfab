import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { RtmsClient } from '../../../rtms/client.ts';
import { startCommand } from '../command.ts';
import {
  KEEP_ALIVES,
  playedShapes,
  SHAPE_SESSIONS,
  type ShapeSession,
  wantedOf,
} from './shapes.ts';

const SERVER = fileURLToPath(new URL('./play_shapes.py', import.meta.url));
const SHAPES = fileURLToPath(new URL('../../fixtures/rtms/zoom-shapes.jsonl', import.meta.url));
const APP = { clientId: 'mock-client', clientSecret: 'mock-secret' };
const ENTITY = '4444AAAiAAAAAiAiAiiAii==';

interface ToldByServer {
  readonly stream: string;
  readonly signatures: number;
  readonly attempts: number;
  readonly dialled: Readonly<Record<string, string>>;
  readonly keepAlives: readonly object[];
}

/**
 * Lets the Python mock play every shape of the file in sessions with our client, and holds what the client tells against what is wanted.
 *
 * @returns figures
 * @throws AssertionError naming the session
 */
export async function playShapes(python: string, scratch: string): Promise<string> {
  const ids = readFileSync(SHAPES, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { id: string }).id);
  assert.deepEqual(playedShapes().sort(), ids.sort(), 'every shape of the file is played');
  const plans = Object.entries(SHAPE_SESSIONS).map(([stream, session]) => [
    stream,
    { ...session, entity: ENTITY },
  ]);
  const file = join(scratch, 'plans.json');
  await writeFile(file, JSON.stringify(Object.fromEntries(plans)));
  const server = startCommand(python, [SERVER, SHAPES, file, APP.clientId, APP.clientSecret]);
  server.stderr.pipe(process.stderr);
  const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
  const address = String((await lines.next()).value);
  let told = 0;
  for (const [stream, session] of Object.entries(SHAPE_SESSIONS)) {
    const seen = await meet(address, stream, session);
    const server = JSON.parse(String((await lines.next()).value)) as ToldByServer;
    judgeSession(stream, session, seen, server);
    told += Object.values(seen).reduce((sum, { length }) => sum + length, 0);
  }
  server.stdin.end();
  await once(server, 'close');
  return `${ids.length} shapes in ${plans.length} sessions, ${told} events as wanted`;
}

/** @returns what the client told, by the names of its events */
async function meet(address: string, stream: string, session: ShapeSession) {
  const client = new RtmsClient({
    isAllowedAddress: (url) => new URL(url).hostname === '127.0.0.1',
    backoff: () => 50,
  });
  const seen = Object.fromEntries(
    Object.keys(wantedOf(session)).map((name) => [name, [] as unknown[]]),
  );
  for (const [name, list] of Object.entries(seen)) {
    client.on(name as 'frame', (first: unknown) => void list.push(first));
  }
  const ended = once(client, 'ended');
  client.join({
    product: session.product,
    entityId: ENTITY,
    rtmsStreamId: stream,
    serverUrls: [`${address}/signaling`],
    ...APP,
  });
  await ended;
  return seen;
}

function judgeSession(
  stream: string,
  session: ShapeSession,
  seen: Readonly<Record<string, readonly unknown[]>>,
  server: ToldByServer,
): void {
  const wanted = wantedOf(session);
  const whole = JSON.stringify(seen, (_, value) =>
    value?.type === 'Buffer' ? `${value.data.length} bytes` : value,
  );
  for (const [name, events] of Object.entries(wanted)) {
    assert.equal(seen[name]?.length, events.length, `${stream}: how many ${name}; seen ${whole}`);
    for (const [index, event] of events.entries()) {
      expectPart(seen[name]?.[index], event, `${stream}: ${name} ${index}`);
    }
  }
  assert.equal(server.stream, stream);
  assert.equal(server.attempts, session.handshake.length, `${stream}: attempts`);
  const { length } = Object.keys(server.dialled);
  assert.equal(server.signatures, server.attempts + length, `${stream}: signatures`);
  if (session.dialled) assert.deepEqual(server.dialled, session.dialled, `${stream}: addresses`);
  const answers = session.play.flatMap((id) => KEEP_ALIVES[id] ?? []);
  assert.deepEqual(server.keepAlives, answers, `${stream}: answers to keep-alives`);
}

/** `undefined` stands for what must not be there. Lists have to be as long as wanted. */
function expectPart(seen: unknown, wanted: unknown, where: string): void {
  if (typeof wanted !== 'object' || wanted === null || Buffer.isBuffer(wanted)) {
    assert.deepEqual(seen, wanted, where);
    return;
  }
  assert.ok(typeof seen === 'object' && seen !== null, `${where} is ${seen}`);
  if (Array.isArray(wanted)) assert.equal((seen as unknown[]).length, wanted.length, where);
  for (const [name, value] of Object.entries(wanted)) {
    expectPart((seen as Record<string, unknown>)[name], value, `${where}.${name}`);
  }
}
