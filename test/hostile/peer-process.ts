import { setTimeout as sleep } from 'node:timers/promises';
import { mutateBytes, mutateJson } from './mutate.ts';
import { paced } from './pace.ts';
import { PEER_ATTACKS } from './peer-attacks.ts';
import { randomFrom } from './random.ts';
import { frame, RawPeer } from './raw-peer.ts';

/**
 * One hostile peer as a process: `node peer-process.ts <attack>` or `fuzz <seed> <seconds>`. Says its port, then waits for
 * a media connection, attacks, and says when it is done.
 */

/** Messages that the fuzzer takes as a start: one of each kind that Zoom sends. */
const SEEDS: readonly object[] = [
  {
    msg_type: 6,
    event: { event_type: 3, timestamp: 1, participants: [{ user_id: 7, user_name: 'x' }] },
  },
  { msg_type: 6, event: { event_type: 2, timestamp: 1, user_id: 7, user_name: 'x' } },
  { msg_type: 8, state: 5, timestamp: 1 },
  { msg_type: 9, rtms_session_id: 's', state: 1, timestamp: 1 },
  { msg_type: 12, timestamp: 1 },
  { msg_type: 14, content: { user_id: 7, user_name: 'x', data: 'AAAA', timestamp: 1 } },
  {
    msg_type: 17,
    content: { user_id: 7, user_name: 'x', data: 'words', timestamp: 1, language: 9 },
  },
  { msg_type: 18, content: { user_id: 7, message_id: 'm', data: 'words', timestamp: 1 } },
];

const MESSAGES_PER_SECOND = 2_000;

async function fuzz(peer: RawPeer, seed: number, seconds: number): Promise<number> {
  const random = randomFrom(seed);
  return paced(seconds, MESSAGES_PER_SECOND, async () => {
    const text = JSON.stringify(mutateJson(random.pick(SEEDS), random));
    const path = random.pick(['/signaling', '/media', '/']);
    const payload =
      random.below(3) === 0 ? mutateBytes(Buffer.from(text), random) : Buffer.from(text);
    // Wrong frames end the socket, so that they are few: what comes after them would not be read.
    const bytes = random.below(200) === 0 ? mutateBytes(frame(payload), random) : frame(payload);
    await peer.bytes(path, bytes);
  });
}

const [name = '', seed = '1', seconds = '5'] = process.argv.slice(2);
const peer = new RawPeer();
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
say({ event: 'peer_ready', port: await peer.listen() });
while (!peer.hasMedia) await sleep(20);
await sleep(200);
const attack = PEER_ATTACKS.find((each) => each.name === name);
if (attack) await attack.run(peer);
const sent = name === 'fuzz' ? await fuzz(peer, Number(seed), Number(seconds)) : 0;
say({ event: 'peer_done', handshakes: peer.handshakes, sent });
