import { ServiceError } from '../../shared/errors.ts';
import { toPlainJson, toPlainText } from '../../shared/plain-text.ts';
import { ProgressBar } from './progress-bar.ts';

/**
 * What a command tells. Results go to stdout, everything else to stderr. With `json` stdout holds one JSON
 * object a line and nothing else; without it lines of text. Names, chat and transcript are other people's
 * words: whatever they hold, one line stays one line, and a terminal acts on nothing in it.
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

  /**
   * One result.
   *
   * @param value for programs
   * @param lines for people: a string is one line, whatever it holds. Called with the columns of the screen,
   *   `COLUMNS` where there is none, else infinity
   */
  show(value: object, lines: (width: number) => string | readonly string[]): void {
    if (this.json) {
      this.#stdout.write(`${toPlainJson(value)}\n`);
      return;
    }
    const texts = [lines(this.#width())].flat();
    this.#stdout.write(`${texts.map(toPlainText).join('\n')}\n`);
  }

  #width(): number {
    const columns = this.#stdout.isTTY ? this.#stdout.columns : Number(process.env['COLUMNS']);
    return columns > 0 ? columns : Number.POSITIVE_INFINITY;
  }

  /** Replaces everything on the screen by the next result. */
  clear(): void {
    if (this.isScreen) this.#stdout.write('\u001b[2J\u001b[H');
  }

  /** Something on the way to the result, for people only. */
  note(line: string): void {
    if (!this.json) this.#stderr.write(`${toPlainText(line)}\n`);
  }

  /** The last word when a command fails. Never a stack, unless it is a defect of ours. */
  fail(error: unknown): void {
    const isExpected = error instanceof ServiceError;
    const message = error instanceof Error ? error.message : String(error);
    const code = isExpected ? error.code : 'defect';
    if (this.json) {
      const detail = isExpected ? error.detail : {};
      this.#stderr.write(`${toPlainJson({ error: { code, message, detail } })}\n`);
      return;
    }
    const hint = isExpected ? '' : '\nThis is a defect of rtms; RTMS_DEBUG=1 shows where.';
    this.#stderr.write(`rtms: ${toPlainText(message.replace(`[${code}] `, ''))}${hint}\n`);
  }

  /** A bar on stderr when that is a terminal, nothing elsewhere. */
  progress(label: string): ProgressBar {
    return new ProgressBar(label, !this.json && this.#stderr.isTTY ? this.#stderr : undefined);
  }
}
