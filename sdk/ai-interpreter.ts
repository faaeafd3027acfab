import { MESSAGE_TYPE } from '../shared/rtms/constants.ts';

/** Zoom's AI interpreter, by the fields of its SDK's metadata; languages are TRANSCRIPT_LANGUAGE. */
export interface AiInterpreter {
  readonly lid: number;
  readonly timestamp: number;
  readonly channelNum: number;
  readonly sampleRate: number;
  readonly targets: readonly {
    readonly lid: number;
    readonly toneId: string;
    readonly voiceId: string;
    readonly engine: string;
  }[];
}

/** Zoom's SDK keeps fewer than 100. */
const MAX_TARGETS = 99;
const MAX_USERS = 1_000;

/**
 * Remembers the interpreter that message 23 announces, per participant.
 *
 * Zoom does not publish that message. The spelling here is that of its other messages; whatever looks
 * different is left alone.
 */
export class AiInterpreters {
  readonly #byUser = new Map<number, AiInterpreter>();

  /** @param raw a message that the client itself does not know */
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

  of(userId: number | undefined): AiInterpreter | undefined {
    return userId === undefined ? undefined : this.#byUser.get(userId);
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
        toneId: text(target['tone_id']),
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
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
