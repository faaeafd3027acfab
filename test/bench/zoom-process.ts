/**
 * Hundreds of Zoom servers: signaling and media over TLS, as far as a receiver can tell. Accepts every
 * handshake, plays a workload to every media socket while told to, and says how well it kept its times.
 * Messages are encoded once; only the time in them changes.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { MESSAGE_TYPE } from '../../rtms/protocol/constants.ts';
import type { MediaType } from '../../rtms/protocol/media-type.ts';
import { serve } from './bench-process.ts';
import { type Flow, WORKLOADS, type WorkloadName } from './workloads.ts';

/** How far apart sockets of one rhythm are spread. */
const PHASE_MS = 5;
/** A socket this far behind gets nothing more: its receiver does not keep up. */
const MAX_BACKLOG_BYTES = 4 * 1024 * 1024;
const KEEP_ALIVE_MS = 10_000;

/** What is written at one moment, WebSocket frames included. */
interface Moment {
  readonly bytes: Buffer;
  readonly messages: number;
  /** Where the 13 digits of each time are by which a receiver measures its delay. */
  readonly timestampsAt: readonly number[];
}

/** Sockets that hear the same at the same time. */
interface Choir {
  readonly intervalMs: number;
  readonly moments: readonly Moment[];
  readonly sockets: Socket[];
  next: number;
  dueAtMs: number;
}

const choirs = new Map<MediaType, Choir[]>();
const sent = { messages: 0, skipped: 0, maxLateMs: 0 };
let isPlaying = false;

function load(name: WorkloadName): void {
  choirs.clear();
  for (const flow of WORKLOADS[name].flows as readonly Flow[]) {
    const moments = flow.moments.map(encodeMoment);
    const phases = Math.max(1, Math.round(flow.intervalMs / PHASE_MS));
    const choir = (index: number): Choir => ({
      intervalMs: flow.intervalMs,
      moments,
      sockets: [],
      next: (index * 7) % moments.length,
      dueAtMs: 0,
    });
    choirs.set(
      flow.mediaType,
      Array.from({ length: phases }, (_, index) => choir(index)),
    );
  }
}

function encodeMoment(messages: readonly object[]): Moment {
  const frames = messages.map((message) => frameOf(Buffer.from(JSON.stringify(message))));
  const bytes = Buffer.concat(frames);
  const timestampsAt = ['"timestamp":', '"start_time":'].flatMap((key) => placesAfter(bytes, key));
  return { bytes, messages: messages.length, timestampsAt };
}

function placesAfter(bytes: Buffer, key: string): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(key); at >= 0; at = bytes.indexOf(key, at + 1)) {
    places.push(at + key.length);
  }
  return places;
}

/** An unmasked text frame. */
function frameOf(payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.of(0x81, length), payload]);
  const header = Buffer.alloc(length < 65_536 ? 4 : 10);
  header[0] = 0x81;
  header[1] = length < 65_536 ? 126 : 127;
  if (length < 65_536) header.writeUInt16BE(length, 2);
  else header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, payload]);
}

function play(): void {
  isPlaying = true;
  const startMs = performance.now();
  for (const phases of choirs.values()) {
    for (const [index, choir] of phases.entries()) {
      choir.dueAtMs = startMs + (index * choir.intervalMs) / phases.length;
    }
  }
  tick();
}

function tick(): void {
  if (!isPlaying) return;
  for (const phases of choirs.values()) {
    for (const choir of phases) {
      while (choir.dueAtMs <= performance.now()) sing(choir);
    }
  }
  setTimeout(tick, 1);
}

function sing(choir: Choir): void {
  sent.maxLateMs = Math.max(sent.maxLateMs, performance.now() - choir.dueAtMs);
  choir.dueAtMs += choir.intervalMs;
  const { bytes, messages, timestampsAt } = choir.moments[choir.next] as Moment;
  choir.next = (choir.next + 1) % choir.moments.length;
  // Sockets that are behind keep a reference, so each moment needs bytes of its own.
  const now = Buffer.from(bytes);
  const digits = String(Date.now());
  for (const at of timestampsAt) now.write(digits, at, 'latin1');
  for (const socket of choir.sockets) {
    if (socket.writableLength > MAX_BACKLOG_BYTES) sent.skipped += messages;
    else {
      socket.write(now);
      sent.messages += messages;
    }
  }
}

const server = createServer({
  key: process.env['BENCH_TLS_KEY'],
  cert: process.env['BENCH_TLS_CERT'],
});
const webSockets = new WebSocketServer({ server, perMessageDeflate: false });
webSockets.on('connection', (webSocket, request) => {
  const { port } = server.address() as AddressInfo;
  const { socket } = request;
  const mediaType = request.url?.slice(1) as MediaType;
  webSocket.on('error', () => webSocket.terminate());
  webSocket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { msg_type: number; media_params?: object };
    if (message.msg_type === MESSAGE_TYPE.SIGNALING_HAND_SHAKE_REQ) {
      const urls = [...choirs.keys()].map((name) => [name, `wss://localhost:${port}/${name}`]);
      webSocket.send(
        JSON.stringify({
          msg_type: MESSAGE_TYPE.SIGNALING_HAND_SHAKE_RESP,
          protocol_version: 1,
          sequence: 0,
          status_code: 0,
          reason: '',
          media_server: { server_urls: Object.fromEntries(urls) },
        }),
      );
    } else if (message.msg_type === MESSAGE_TYPE.DATA_HAND_SHAKE_REQ) {
      webSocket.send(
        JSON.stringify({
          msg_type: MESSAGE_TYPE.DATA_HAND_SHAKE_RESP,
          protocol_version: 1,
          sequence: 0,
          status_code: 0,
          reason: '',
          payload_encrypted: false,
          media_params: message.media_params,
        }),
      );
      const phases = choirs.get(mediaType) ?? [];
      const choir = phases.reduce((a, b) => (b.sockets.length < a.sockets.length ? b : a));
      choir.sockets.push(socket);
      socket.on('close', () => choir.sockets.splice(choir.sockets.indexOf(socket), 1));
    }
  });
});

setInterval(() => {
  const keepAlive = JSON.stringify({
    msg_type: MESSAGE_TYPE.KEEP_ALIVE_REQ,
    timestamp: Date.now(),
  });
  for (const webSocket of webSockets.clients) webSocket.send(keepAlive);
}, KEEP_ALIVE_MS);

server.listen(0, 'localhost', 4_096);
await once(server, 'listening');
serve({
  /** The signaling address. */
  url: () => `wss://localhost:${(server.address() as AddressInfo).port}/signaling`,
  load: ({ workload }: { workload: WorkloadName }) => load(workload),
  play,
  pause: () => {
    isPlaying = false;
  },
  /** What was sent since the last question. */
  sent: () => {
    const { user, system } = process.cpuUsage();
    const answer = { ...sent, cpuMs: (user + system) / 1_000 };
    Object.assign(sent, { messages: 0, skipped: 0, maxLateMs: 0 });
    return answer;
  },
});
