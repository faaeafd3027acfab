/** What the client has to tell of one message, by the name of its event; of each, a part. `undefined`: must not be there. */
type Told = Readonly<Record<string, readonly object[]>>;

/** One stream of the mock: which shapes it plays, and where. See play_shapes.py. */
export interface ShapeSession {
  readonly product: 'meeting' | 'contact_center';
  /** What each signaling attempt is answered: ids of shapes, or `plain`. */
  readonly handshake: readonly (readonly string[])[];
  /** The answer to the media handshake of audio. */
  readonly media: string;
  readonly play: readonly string[];
  readonly end: string;
  /** Paths that the client has to dial, by `media_type` (bits: audio 1, video 2, share 4, transcript 8, chat 16, all 32). */
  readonly dialled?: Readonly<Record<string, string>>;
}

const AT = 1727384349123;
const PAYLOAD = Buffer.alloc(640, 0x5a);
const mia = { userId: 16778240, userName: 'Mia' };

/** What is wanted of each shape that comes while media flows, in the words of test/fixtures/rtms/zoom-shapes.jsonl. */
const WANTED: Readonly<Record<string, Told>> = {
  D1: {
    event: [{ name: 'sharing_started', userId: undefined, userName: 'Mia Sand', timestampMs: AT }],
  },
  D2: {
    event: [
      {
        name: 'participant_joined',
        participants: [
          { userId: undefined, userName: 'Mia Sand' },
          { userId: undefined, userName: 'Al' },
        ],
      },
    ],
  },
  D3: { frame: [{ channelId: '123', payload: PAYLOAD, capturedAtMs: 1738392033699 }] },
  D4: {
    event: [
      {
        name: 'voice',
        event: 'consumer_answered',
        participant: { channelId: '123abc', queueName: 'My Queue', displayName: 'Mia' },
        timestampMs: AT,
      },
    ],
  },
  D5: {},
  D8: { sessionState: [{ rtmsSessionId: 's', state: 1, stopReason: 1 }] },
  D9: { videoSubscribed: [{ userId: 16778240, status: 0, reason: 'OK' }] },
  D10: {
    transcript: [
      {
        text: 'Hi, hello world!',
        userId: 19778240,
        language: 9,
        startMs: 1727384100000,
        endMs: 1727384310000,
      },
    ],
  },
  D11: { chat: [{ text: 'Chat message', timestampMs: 1727384349000 }] },
  Z1: {},
  Z1b: {},
  Z1c: {},
  Z5: { event: [{ name: 'participant_joined', participants: [mia], timestampMs: AT }] },
  Z5b: { event: [{ name: 'participant_video_on', participants: [mia] }] },
  Z5d: { event: [{ name: 'participant_left', participants: [] }] },
  Z7: {
    chat: [{ text: 'hi', messageId: 'm1', operation: 1, sender: { userId: 1, userName: 'Mia' } }],
  },
  Z7c: { chat: [{ text: '', messageId: 'm1', operation: 4 }] },
  Z12: { sessionState: [{ rtmsSessionId: 's', state: 5, stopReason: 6 }] },
  Z14: { other: [{ msg_type: 29, status_code: 44 }] },
  Z16: { frame: [{ ...mia, payload: PAYLOAD, capturedAtMs: 1783000000000 }] },
  Z17: { transcript: [{ text: 'hello', userName: 'Mia' }] },
  // The decoder leaves the id out; a frame without one has 0, as mixed audio has.
  Z18: { frame: [{ userId: 0, userName: 'Mia', payload: PAYLOAD }] },
  Z18b: { transcript: [{ text: 'hi', userId: undefined, userName: 'Mia' }] },
  Z21: { transcript: [{ text: 'x', userId: 1, timestampMs: 1727384349000 }] },
  Z22: { frame: [{ userId: 1, payload: Buffer.from('fbfffe01', 'hex') }] },
  Z24: { other: [{ msg_type: 'SIGNALING_HAND_SHAKE_RESP' }] },
  Z25: {},
};

/** What ends a session, and how the client has to understand it. */
const ENDS: Readonly<Record<string, object>> = {
  Z11: { cause: 'stopped', stopReason: 3 },
  Z27: { cause: 'stopped', stopReason: 6 },
};

/** How keep-alives have to be answered, in the order in which they are played. */
export const KEEP_ALIVES: Readonly<Record<string, object>> = {
  Z1: { msg_type: 13 },
  Z1b: { msg_type: 13 },
  Z1c: { msg_type: 13 },
  Z25: { msg_type: 13, timestamp: 1783000000000 },
};

const MEETING: Omit<ShapeSession, 'end'> = {
  product: 'meeting',
  handshake: [['plain']],
  media: 'plain',
  play: ['Z16'],
};

/** By stream id. */
export const SHAPE_SESSIONS: Readonly<Record<string, ShapeSession>> = {
  'all-media': {
    ...MEETING,
    handshake: [['D6']],
    media: 'D7',
    play: Object.keys(WANTED).filter((id) => !['D3', 'D4', 'Z24'].includes(id)),
    end: 'Z27',
    dialled: { 1: '/', 2: '/', 8: '/', 20: '/' },
  },
  'contact-center': { ...MEETING, product: 'contact_center', play: ['D3', 'D4'], end: 'Z27' },
  'status-by-another-name': { ...MEETING, handshake: [['Z2']], end: 'Z11' },
  'audio-address-alone': { ...MEETING, handshake: [['Z2b']], end: 'Z11', dialled: { 1: '/audio' } },
  'address-as-text': { ...MEETING, handshake: [['Z3']], end: 'Z11', dialled: { 32: '/all' } },
  'addresses-in-a-list': { ...MEETING, handshake: [['Z3b']], end: 'Z11', dialled: { 32: '/all' } },
  'address-of-the-share': {
    ...MEETING,
    handshake: [['Z3c']],
    end: 'Z11',
    dialled: { 1: '/a', 4: '/s', 26: '/all' },
  },
  'more-than-addresses': { ...MEETING, handshake: [['Z4']], end: 'Z11' },
  'duplicate-signaling': { ...MEETING, handshake: [['Z6'], ['plain']], end: 'Z11' },
  'media-without-status': { ...MEETING, media: 'Z23', end: 'Z11' },
  'names-of-2025': { ...MEETING, handshake: [['Z24', 'plain']], end: 'Z27' },
};

/** Everything that the client has to tell in a session, and nothing else: events by name, each in order. */
export function wantedOf({ handshake, play, end }: ShapeSession): Record<string, object[]> {
  const wanted: Record<string, object[]> = {
    frame: [],
    transcript: [],
    chat: [],
    event: [],
    sessionState: [],
    videoSubscribed: [],
    other: [],
    malformed: [],
    ended: [ENDS[end] ?? {}],
  };
  for (const id of [...handshake.flat(), ...play]) {
    for (const [name, told] of Object.entries(WANTED[id] ?? {})) wanted[name]?.push(...told);
  }
  return wanted;
}

/** The shapes that the sessions play. */
export function playedShapes(): string[] {
  const ids = Object.values(SHAPE_SESSIONS).flatMap(({ handshake, media, play, end }) => [
    ...handshake.flat(),
    media,
    ...play,
    end,
  ]);
  return [...new Set(ids)].filter((id) => id !== 'plain');
}
