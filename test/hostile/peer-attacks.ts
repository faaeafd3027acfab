import { setTimeout as sleep } from 'node:timers/promises';
import { HOSTILE_WORDS } from './hostile-words.ts';
import { frame, type RawPeer } from './raw-peer.ts';

/** What a hostile peer does once its media connection is up. A new attack is one row. */
export interface PeerAttack {
  readonly name: string;
  /** Rule that it tries. */
  readonly rule: string;
  readonly run: (peer: RawPeer) => Promise<void>;
  /** Event that the runner has to log of the attacked stream; without it the rule is broken. */
  readonly logs?: string;
  /** Name of the stream, before its number: what was written under it has to be read. */
  readonly streamId?: string;
  /** The stream's row is filled up to DynamoDB's limit once it is claimed. */
  readonly fillsRow?: boolean;
}

const NOW = Date.now();
const audio = (content: object) => ({
  msg_type: 14,
  content: { user_id: 7, user_name: 'x', data: 'AAAA', timestamp: NOW, ...content },
});
const event = (fields: object) => ({ msg_type: 6, event: { timestamp: NOW, ...fields } });
const join = (...participants: object[]) => event({ event_type: 3, participants });
const big = (bytes: number) => 'x'.repeat(bytes);

async function times(count: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let index = 0; index < count; index += 1) await act(index);
}

/** Consumers are attacked with it too. */
export const WORDS_ATTACK = 'names and words that act on a terminal';

export const PEER_ATTACKS: readonly PeerAttack[] = [
  // Ids, names, stamps, reasons, counts.
  {
    name: 'channel id of 70,000 bytes',
    rule: 'ids have a limit',
    run: (peer) => peer.send('/media', audio({ channel_id: big(70_000) })),
  },
  {
    name: 'channel ids with # and of 300 bytes',
    rule: 'ids have a limit',
    run: (peer) =>
      times(200, (index) => peer.send('/media', audio({ channel_id: `#${index}#${big(300)}` }))),
  },
  {
    name: 'names of 1 MB on 200 frames',
    rule: 'names are cut',
    run: (peer) => times(200, () => peer.send('/media', audio({ user_name: big(1e6) }))),
  },
  {
    name: 'a stream id of 240 bytes with # in it',
    rule: 'what is accepted is written',
    streamId: `~#v#${'é'.repeat(100)}#`,
    run: (peer) => peer.send('/media', audio({})),
  },
  {
    name: 'user ids that are no counts',
    rule: 'integers in range or absent',
    run: async (peer) => {
      for (const user_id of [-1, 0.5, 2 ** 31, 2 ** 60, '7', null, {}, [], true]) {
        await peer.send('/media', audio({ user_id }));
        await peer.send('/signaling', join({ user_id, user_name: 'x' }));
      }
    },
  },
  {
    name: 'keep-alive stamps of 200 KB',
    rule: 'stamps have a limit',
    run: (peer) => times(100, () => peer.send('/', { msg_type: 12, timestamp: big(200_000) })),
  },
  {
    name: 'stop reason above 2^53',
    rule: 'reasons in range',
    run: (peer) =>
      peer.send('/signaling', '{"msg_type":8,"state":4,"stop_reason":99999999999999999999}'),
  },
  // Buffers.
  {
    name: 'roster of 300 names of 200 KB',
    rule: 'every buffer is bounded in bytes',
    run: (peer) =>
      times(300, (user_id) => peer.send('/signaling', join({ user_id, user_name: big(200_000) }))),
  },
  {
    name: '60,000 invented sources',
    rule: 'every buffer is bounded in bytes',
    run: (peer) => times(60_000, (index) => peer.send('/media', audio({ user_id: index + 1 }))),
  },
  {
    name: '20,000 sessions of users',
    rule: 'every buffer is bounded in bytes',
    run: (peer) =>
      times(20_000, (index) =>
        peer.send('/signaling', { msg_type: 9, rtms_session_id: `s${index}`, state: 1 }),
      ),
  },
  {
    name: '300,000 keep-alives, no answer read',
    rule: 'unsent answers are bounded',
    run: (peer) => {
      peer.stopReading();
      return times(300_000, () => peer.send('/signaling', { msg_type: 12, timestamp: NOW }));
    },
  },
  {
    name: 'captures that jump for and back',
    rule: 'gaps are bounded',
    run: (peer) =>
      times(20_000, (index) =>
        peer.send('/media', audio({ timestamp: NOW + (index % 2) * 1e9 * index })),
      ),
  },
  // Work.
  {
    name: '8 MB of nested arrays, ten times',
    rule: 'JSON that is no frame may have 256 KiB',
    run: (peer) => times(10, () => peer.send('/signaling', `${'['.repeat(4e6)}${']'.repeat(4e6)}`)),
  },
  {
    name: '250 KB of nested arrays, 300 times',
    rule: 'share of the loop',
    run: (peer) =>
      times(300, () => peer.send('/signaling', `${'['.repeat(125_000)}${']'.repeat(125_000)}`)),
  },
  {
    name: '400,000 unknown messages',
    rule: 'share of the loop',
    run: (peer) => times(400_000, (index) => peer.send('/signaling', { msg_type: 99, index })),
  },
  {
    name: 'unknown messages without end',
    rule: 'who takes the loop is slowed, then ended',
    logs: 'overloading',
    run: async (peer) => {
      const message = frame(Buffer.from('{"msg_type":99,"a":[1,2,3]}'));
      const many = Buffer.concat(Array(1_000).fill(message));
      while (peer.hasMedia) await peer.bytes('/signaling', many);
    },
  },
  {
    name: 'a row that DynamoDB refuses to write',
    rule: 'a write that never passes is not tried for ever',
    logs: 'row_given_up',
    fillsRow: true,
    run: async (peer) => {
      await sleep(8_000);
      await peer.send('/signaling', { msg_type: 8, state: 4, stop_reason: 6 });
    },
  },
  {
    name: 'interrupted after each handshake',
    rule: 'a dial in a flap waits',
    run: async (peer) => {
      peer.onMessage = (path, type) => {
        if (type === 7 || type === 3) void peer.send('/signaling', { msg_type: 8, state: 2 });
        if (type === 3 && path.startsWith('/media')) peer.cut('/media');
      };
      peer.cut('/media');
      await sleep(4_000);
    },
  },
  // Lines and log.
  {
    name: 'opening of a webinar: 20,000 rosters',
    rule: 'text before rosters',
    run: (peer) =>
      times(20_000, (user_id) => peer.send('/signaling', join({ user_id, user_name: 'guest' }))),
  },
  {
    name: '50,000 toggles of the state',
    rule: 'the log is limited',
    run: (peer) =>
      times(50_000, (index) => peer.send('/signaling', { msg_type: 8, state: 5 + (index % 2) })),
  },
  {
    name: '50,000 unknown states',
    rule: 'the log is limited',
    run: (peer) =>
      times(50_000, (index) => peer.send('/signaling', { msg_type: 8, state: 100 + index })),
  },
  {
    name: 'ledger of 14,000 sources, then the end',
    rule: 'a ledger has pages',
    run: async (peer) => {
      await times(14_000, (index) => peer.send('/media', audio({ user_id: index + 1 })));
      await peer.send('/signaling', { msg_type: 8, state: 4, stop_reason: 6 });
    },
  },
  {
    name: WORDS_ATTACK,
    rule: 'words are data',
    run: async (peer) => {
      // Whoever has several sessions at this peer is waited for.
      await sleep(1_500);
      for (const words of HOSTILE_WORDS) {
        const said = { user_id: 7, user_name: words, data: words, timestamp: NOW, language: 9 };
        await peer.send('/media', { msg_type: 17, content: said });
        await peer.send('/media', { msg_type: 18, content: { ...said, message_id: words } });
        await peer.send('/signaling', join({ user_id: 7, user_name: words }));
        await peer.send('/signaling', event({ event_type: 2, user_id: 7, user_name: words }));
        await peer.send('/signaling', { msg_type: 9, rtms_session_id: words, state: 1 });
        await peer.send('/signaling', { msg_type: 99, words });
      }
    },
  },
  // Framing.
  {
    name: 'a frame of 2^62 bytes',
    rule: 'message size limit',
    run: (peer) => peer.bytes('/', Buffer.from('817f4000000000000000', 'hex')),
  },
  {
    name: 'fragments that never end',
    rule: 'message size limit',
    run: (peer) =>
      times(100_000, (index) => peer.bytes('/', frame(Buffer.alloc(1_000), index ? 0 : 1, false))),
  },
  {
    name: 'reserved bits, unknown opcodes, masked frames',
    rule: 'a wrong frame ends its socket',
    run: (peer) =>
      times(256, (first) =>
        peer.bytes('/media', Buffer.from([first, 0x85, 1, 2, 3, 4, 9, 9, 9, 9, 9])),
      ),
  },
  {
    name: '10 MB of pings',
    rule: 'control frames are cheap',
    run: (peer) => times(80_000, () => peer.bytes('/', frame(Buffer.alloc(125), 9))),
  },
];
