import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import { syntheticMeeting } from '../../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import { selfSigned } from '../../support/rtms/self-signed.ts';
import { runCommand } from '../command.ts';
import { freePort } from '../free-port.ts';
import { pythonPrograms } from '../installs.ts';
import { waitUntil } from '../meeting/live-meeting.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';

const CLIENT = fileURLToPath(new URL('./client.py', import.meta.url));
/** Two people who talk all the time, a camera, a share and a line of transcript every half second. */
const MEETING = syntheticMeeting({
  durationMs: 600_000,
  video: true,
  share: true,
  transcriptEveryMs: 500,
});
/** How long the meeting goes on once every medium has come. */
const MEETING_MS = 4_000;
/** How long the SDK may take for everything. It can hang when it leaves, which ends with the run. */
const STAY_SECONDS = 180;
/** The SDK's own code where it sees the closed media sockets before the reason on the signaling socket: two sockets have no order. */
const CONNECTION_CLOSED = 960;
const SOURCES = ['audio', 'video', 'deskshare'];

interface Told {
  readonly join: number | null;
  readonly leave: number | null;
  readonly users: readonly (readonly [number, string])[];
  readonly frames: Readonly<Record<string, number>>;
  readonly transcript: readonly { readonly user: string; readonly text: string }[];
}

const install = () => pythonPrograms('zoom-sdk', ['rtms==1.1.0']);

export const zoomSdkPeer: Peer = {
  name: 'zoom-sdk',
  needs: ['python'],
  install,
  defects: [
    'the simulator refused the media handshake of Zoom’s SDK for a transcript, whose `media_params` is `null`, with status 17: null means that there are none (`simulator/media/media-params.ts`)',
  ],
  async run(work) {
    const programs = await install();
    const python = join(programs, 'python');
    const { stdout } = await runCommand(python, ['-m', 'pip', 'show', 'rtms']);
    const version = /Version: (\S+)/.exec(stdout)?.[1] ?? '';
    const lines: ProofLine[] = [];
    for (const scheme of ['ws', 'wss'] as const) {
      const figures = await meet(work, python, scheme);
      work.say(`${scheme}: ${figures}`);
      lines.push({
        software: 'Zoom’s RTMS SDK (PyPI `rtms`, closed core)',
        version,
        what: `joins the simulator by ${scheme}:, gets every medium byte for byte, names and transcript, and leaves when the meeting ends`,
        figures,
      });
    }
    lines.push({
      software: 'Zoom’s RTMS SDK (npm `@zoom/rtms`)',
      version: '1.1.0',
      what: 'the same by the SDK for Node',
      figures:
        'its core is fetched from elsewhere when it is installed; the one for Python ships it',
      isProven: false,
    });
    return lines;
  },
};

async function meet(work: PeerWork, python: string, scheme: 'ws' | 'wss'): Promise<string> {
  const folder = join(work.scratch, scheme);
  // The SDK writes its log there and complains without end where the folder is missing.
  await mkdir(join(folder, 'logs'), { recursive: true });
  const tls = scheme === 'wss' ? selfSigned() : undefined;
  const certificate = join(folder, 'ca.pem');
  if (tls !== undefined) await writeFile(certificate, tls.cert);
  const ports = { signalingPort: await freePort(), mediaPort: await freePort() };
  await using simulator = await startSimulator({
    ...ports,
    // The certificate is for this name.
    publicUrls: {
      signaling: `${scheme}://localhost:${ports.signalingPort}`,
      media: `${scheme}://localhost:${ports.mediaPort}`,
    },
    ...(tls !== undefined && { tls }),
    sentDir: join(folder, 'sent'),
    // The SDK takes a share from an address named `deskshare` only.
    behaviour: { mediaUrls: 'every' },
  });
  const rtmsStreamId = simulator.start(MEETING) ?? '';
  const [info] = simulator.streams();
  const input = JSON.stringify({
    seconds: STAY_SECONDS,
    join: {
      meeting_uuid: info?.entityId,
      rtms_stream_id: rtmsStreamId,
      server_urls: simulator.serverUrl(rtmsStreamId),
      client: EXAMPLE_APP.clientId,
      secret: EXAMPLE_APP.clientSecret,
    },
  });
  const running = runCommand(python, [CLIENT, folder], {
    cwd: folder,
    env: tls === undefined ? {} : { ZM_RTMS_CA: certificate },
    input,
  });
  const ending = async () => {
    await waitUntil('a frame of each medium', async () => {
      const names = await readdir(folder);
      return SOURCES.every((kind) => names.some((name) => name.startsWith(kind)));
    });
    await wait(MEETING_MS);
    simulator.act(rtmsStreamId, { do: 'stop', reason: STOP_REASON.MEETING_ENDED });
  };
  const [{ stdout }] = await Promise.all([running, ending()]);
  const told: Told = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  assert.equal(told.join, 0, 'the SDK has joined');
  const ends: readonly number[] = [STOP_REASON.MEETING_ENDED, CONNECTION_CLOSED];
  assert.ok(told.leave !== null && ends.includes(told.leave), `left with ${told.leave}`);
  const bytes = await compare(folder, join(folder, 'sent', rtmsStreamId), told);
  const names = told.users.map(([, name]) => name);
  assert.deepEqual([...new Set(names)].sort(), ['Participant 1', 'Participant 2']);
  assert.ok(told.transcript.length > 0, 'a transcript');
  const frames = Object.values(told.frames).reduce((sum, count) => sum + count, 0);
  return `${frames} frames of ${Object.keys(told.frames).length} sources, ${bytes} bytes, all equal; ${told.transcript.length} lines; left with ${told.leave}`;
}

/** Each source as the SDK delivered it, from its first byte, is what the simulator sent. @returns bytes in all */
async function compare(got: string, sent: string, told: Told): Promise<number> {
  let bytes = 0;
  const files = (await readdir(got)).filter((name) => name.endsWith('.bin'));
  assert.deepEqual(
    files.sort(),
    Object.keys(told.frames)
      .map((name) => `${name}.bin`)
      .sort(),
  );
  for (const kind of SOURCES) {
    assert.ok(
      files.some((name) => name.startsWith(kind)),
      `the SDK got ${kind}`,
    );
  }
  for (const name of files) {
    const received = await readFile(join(got, name));
    const all = await readFile(join(sent, name));
    assert.ok(received.length > 0 && all.subarray(0, received.length).equals(received), name);
    bytes += received.length;
  }
  return bytes;
}
