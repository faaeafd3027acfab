import { ServiceError } from '../shared/errors.ts';
import { ProgressBar } from './progress-bar.ts';

/** What a terminal would act upon: control characters and overrides of the writing direction. */
const NOT_TEXT = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/**
 * What a command tells. Results go to stdout, everything else to stderr. With `json` stdout holds one JSON
 * object a line and nothing else; without it lines of text, cleared of what participants could do to a
 * terminal with their names and words.
 */
export class Output {
  readonly json: boolean;
  readonly #stdout: NodeJS.WriteStream;
  readonly #stderr: NodeJS.WriteStream;

  constructor(json: boolean, stdout: NodeJS.WriteStream, stderr: NodeJS.WriteStream) {
    this.json = json;
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Can what was written be drawn anew in place? */
  get isScreen(): boolean {
    return !this.json && this.#stdout.isTTY === true;
  }

  /** One result: `value` for programs, `lines` for people. */
  show(value: object, lines: () => string | readonly string[]): void {
    if (this.json) this.#stdout.write(`${JSON.stringify(value)}\n`);
    else this.#stdout.write(`${toText(lines())}\n`);
  }

  /** Replaces everything on the screen by the next result. */
  clear(): void {
    if (this.isScreen) this.#stdout.write('\u001b[2J\u001b[H');
  }

  /** Something on the way to the result, for people only. */
  note(line: string): void {
    if (!this.json) this.#stderr.write(`${toText(line)}\n`);
  }

  /** The last word when a command fails. Never a stack, unless it is a defect of ours. */
  fail(error: unknown): void {
    const isExpected = error instanceof ServiceError;
    const message = error instanceof Error ? error.message : String(error);
    const code = isExpected ? error.code : 'defect';
    if (this.json) {
      const detail = isExpected ? error.detail : {};
      this.#stderr.write(`${JSON.stringify({ error: { code, message, detail } })}\n`);
      return;
    }
    const hint = isExpected ? '' : '\nThis is a defect of rtms; RTMS_DEBUG=1 shows where.';
    this.#stderr.write(`rtms: ${toText(message.replace(`[${code}] `, ''))}${hint}\n`);
  }

  /** A bar on stderr when that is a terminal, nothing elsewhere. */
  progress(label: string): ProgressBar {
    return new ProgressBar(label, !this.json && this.#stderr.isTTY ? this.#stderr : undefined);
  }
}

function toText(lines: string | readonly string[]): string {
  const list = typeof lines === 'string' ? lines.split('\n') : lines;
  return list.map((line) => line.replace(NOT_TEXT, ' ')).join('\n');
}
