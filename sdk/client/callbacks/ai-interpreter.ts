import { MESSAGE_TYPE } from '../../../rtms/protocol/constants.ts';
import { cutText, INPUT_LIMITS } from '../../../shared/input-limits.ts';

/** One language into which speech is interpreted. */
export interface AiTargetLanguage {
  /** TRANSCRIPT_LANGUAGE. */
  lid: number;
  toneId: number;
  voiceId: string;
  engine: string;
}

/** Zoom's AI interpreter, with the field names of its SDK. Without one all numbers are 0 and `targets` is empty. */
export interface AiInterpreter {
  /** TRANSCRIPT_LANGUAGE of the speaker. */
  lid: number;
  timestamp: number;
  channelNum: number;
  sampleRate: number;
  targets: AiTargetLanguage[];
}

/** Returns a new object for every callback, because programs may change what they are handed. */
export function noInterpreter(): AiInterpreter {
  return { lid: 0, timestamp: 0, channelNum: 0, sampleRate: 0, targets: [] };
}

/** Zoom's SDK keeps at most 99 too. */
const MAX_TARGETS = 99;
const MAX_USERS = 1_000;

/**
 * Remembers the interpreter that message 23 announces, per participant.
 *
 * Zoom does not publish that message. The field names here follow the spelling of its other messages; a message
 * that looks different is ignored.
 */
export class AiInterpreters {
  readonly #byUser = new Map<number, AiInterpreter>();

  /** @param raw a message that RtmsClient does not decode */
  learn(raw: unknown): void {
    const message = fields(raw);
    if (message['msg_type'] !== MESSAGE_TYPE.META_DATA_AUDIO) return;
    const content = fields(message['content']);
    const interpreter = fields(content['ai_interpreter']);
    const userId = content['user_id'];
    if (typeof userId !== 'number' || typeof interpreter['lid'] !== 'number') return;
    if (this.#byUser.size >= MAX_USERS) this.#byUser.clear();
    this.#byUser.set(userId, read(interpreter));
  }

  /** @returns a copy; an empty interpreter for a participant without one */
  of(userId: number | undefined): AiInterpreter {
    const known = userId === undefined ? undefined : this.#byUser.get(userId);
    return known === undefined ? noInterpreter() : structuredClone(known);
  }
}

function read(interpreter: Fields): AiInterpreter {
  const targets = Array.isArray(interpreter['targets']) ? interpreter['targets'] : [];
  return {
    lid: integer(interpreter['lid']),
    timestamp: integer(interpreter['timestamp']),
    channelNum: integer(interpreter['channel_num']),
    sampleRate: integer(interpreter['sample_rate']),
    targets: targets
      .slice(0, MAX_TARGETS)
      .map(fields)
      .map((target) => ({
        lid: integer(target['lid']),
        toneId: integer(target['tone_id']),
        voiceId: text(target['voice_id']),
        engine: text(target['engine']),
      })),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function integer(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function text(value: unknown): string {
  const known = typeof value === 'string' || typeof value === 'number';
  return known ? cutText(String(value), INPUT_LIMITS.idBytes) : '';
}
