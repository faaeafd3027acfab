import { ServiceError } from '../../shared/errors.ts';
import { seededRandom } from '../../shared/seeded-random.ts';
import type { Behaviour } from './behaviour.ts';

/**
 * The forms in which Zoom's documents, samples and managers show the same thing. A client has to read all of
 * them alike, so the result of a test must not depend on what is drawn here. What changes outcomes (windows, refusals of a
 * second signaling connection, lenient parameters) is not drawn; a scenario chooses it.
 */
const FORMS = {
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
 * Forms in which something is missing that cannot be made up: the session or the time of an event, but no person. All
 * media, lines and events arrive, each with its person.
 */
const VAGUE_FORMS = {
  sessionIds: [true, false],
  eventTimes: [true, false],
  nullParticipants: [false, true],
} as const satisfies { readonly [Key in keyof Behaviour]?: readonly Behaviour[Key][] };

/**
 * Forms in which also the ids of people are missing. Everything arrives all the same, but two people without an id
 * count as one, so these are for runs that do not compare people.
 */
const NAMELESS_FORMS = {
  ...VAGUE_FORMS,
  userIds: ['number', 'text', 'long', 'opaque'],
} as const satisfies { readonly [Key in keyof Behaviour]?: readonly Behaviour[Key][] };

/** What may be missing in the forms that are drawn. */
const MISSING = { nothing: {}, vague: VAGUE_FORMS, nameless: NAMELESS_FORMS } as const;
export type Missing = keyof typeof MISSING;

/** @throws ServiceError `config/invalid` */
export function parseMissing(text: string): Missing {
  if (Object.hasOwn(MISSING, text)) return text as Missing;
  const allowed = Object.keys(MISSING).join(', ');
  throw new ServiceError('config/invalid', `--missing is ${text}, allowed: ${allowed}`);
}

/** All forms that may be drawn. */
export function formsWith(missing: Missing): Readonly<Record<string, readonly unknown[]>> {
  return { ...FORMS, ...MISSING[missing] };
}

/** Draws one of each form; the same seed draws the same. */
export function drawForms(seed: string, missing: Missing = 'nothing'): Partial<Behaviour> {
  const random = randomFrom(seed);
  const drawn = Object.entries(formsWith(missing)).map(([name, forms]) => [
    name,
    forms[Math.floor(random() * forms.length)],
  ]);
  return Object.fromEntries(drawn) as Partial<Behaviour>;
}

/**
 * The forms that `SIMULATOR_FORMS` asks for. Unset: none. A seed: those that it draws. `random`: those of a new seed,
 * which is written to stderr so that a failure can be repeated.
 */
export function formsFromEnvironment(
  missing: Missing = 'nothing',
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Partial<Behaviour> {
  const given = environment['SIMULATOR_FORMS'];
  if (given === undefined || given === '') return {};
  if (given !== 'random') return drawForms(given, missing);
  const seed = newSeed();
  process.stderr.write(`simulator forms: SIMULATOR_FORMS=${seed}\n`);
  return drawForms(seed, missing);
}

/** A seed for a run that was given none. The caller has to write it somewhere, so that the run can be repeated. */
export function newSeed(): string {
  return String(Date.now() % 1_000_000);
}

/** Drawn from a hash of the text (FNV-1a). */
function randomFrom(seed: string): () => number {
  const hash = [...seed].reduce(
    (sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 16_777_619),
    2_166_136_261,
  );
  return seededRandom(hash);
}
