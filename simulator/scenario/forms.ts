import type { Behaviour } from './behaviour.ts';

/**
 * The forms in which Zoom's documents, samples and managers show the same thing. A client has to read each of
 * them alike, so whatever is drawn here a test must not notice. What changes outcomes (windows, refusals of a
 * second signaling connection, lenient parameters) is a scenario's to choose.
 */
export const FORMS = {
  frames: ['text', 'binary'],
  mediaUrls: ['documented', 'every', 'sharescreen', 'all'],
  urlShape: ['text', 'list'],
  splitAddress: ['any_bits', 'own_bit'],
  statusKey: ['status_code', 'status', 'none'],
  duplicateStatus: [8, 17],
  keepAliveOnlyWhenIdle: [true, false],
  keepAliveUnit: ['ms', 'ns', 'none'],
  transcriptTimeUnit: ['ms', 'us'],
  chatShape: ['nested', 'direct', 'object'],
  userIds: ['number', 'text'],
  participants: ['list', 'event_level'],
  frameLength: [true, false],
  videoAnswerUserId: [true, false],
  participantInfoKey: ['participant_info', 'paticipant_info'],
  streamReasonKey: ['reason', 'stop_reason'],
  sessionReasonKey: ['stop_reason', 'reason'],
  webhookShape: ['flat', 'nested'],
  webhookExtended: [false, true],
} as const satisfies { readonly [Key in keyof Behaviour]?: readonly Behaviour[Key][] };

/**
 * Forms in which something is missing that nobody can make up: who somebody is, which session, when. Everything
 * arrives all the same, but two people without an id count as one, so they are for tests that tell nobody apart.
 */
export const LOSSY_FORMS = {
  userIds: ['number', 'text', 'long', 'opaque'],
  sessionIds: [true, false],
  eventTimes: [true, false],
  nullParticipants: [false, true],
} as const satisfies { readonly [Key in keyof Behaviour]?: readonly Behaviour[Key][] };

/** Draws one of each form; the same seed draws the same. @param lossy those of LOSSY_FORMS too */
export function drawForms(seed: string, lossy = false): Partial<Behaviour> {
  const random = randomFrom(seed);
  const drawn = Object.entries(lossy ? { ...FORMS, ...LOSSY_FORMS } : FORMS).map(
    ([name, forms]) => [name, forms[Math.floor(random() * forms.length)]],
  );
  return Object.fromEntries(drawn) as Partial<Behaviour>;
}

/**
 * Forms by `SIMULATOR_FORMS`: unset, none; a seed, those it draws; `random`, of a new seed. Says on stderr which
 * seed `random` was, so that a failure can be had again.
 */
export function formsFromEnvironment(
  lossy = false,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Partial<Behaviour> {
  const given = environment['SIMULATOR_FORMS'];
  if (given === undefined || given === '') return {};
  if (given !== 'random') return drawForms(given, lossy);
  const seed = String(Date.now() % 1_000_000);
  process.stderr.write(`simulator forms: SIMULATOR_FORMS=${seed}\n`);
  return drawForms(seed, lossy);
}

/** mulberry32 over a hash of the text. */
function randomFrom(seed: string): () => number {
  let state = [...seed].reduce(
    (hash, letter) => Math.imul(hash ^ letter.charCodeAt(0), 16_777_619),
    2_166_136_261,
  );
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
