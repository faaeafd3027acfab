import { ServiceError } from '../../shared/errors.ts';
import { toPlainJson, toPlainText } from '../../shared/plain-text.ts';

/**
 * Writes what a command reports. Results go to stdout, everything else to stderr. With `json` stdout has one JSON object a
 * line and nothing else, without it lines of text. Names, chat and transcript come from other people, so every text
 * passes through `toPlainText`: none can forge a line or control the terminal.
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

  /** Whether stdout is a screen that can be cleared. */
  get isScreen(): boolean {
    return !this.json && this.#stdout.isTTY === true;
  }

  /**
   * Writes one result.
   *
   * @param value for programs
   * @param lines for people; each string becomes one line, whatever it contains. Called with the columns of the screen,
   *   with `COLUMNS` where there is no screen, else with infinity
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

  /** Clears the screen, so that the next result replaces what is on it. */
  clear(): void {
    if (this.isScreen) this.#stdout.write('\u001b[2J\u001b[H');
  }

  /** Writes a remark for people to stderr; nothing with `json`. */
  note(line: string): void {
    if (!this.json) this.#stderr.write(`${toPlainText(line)}\n`);
  }

  /** Writes why a command failed, without a stack. */
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

  /** Makes a progress bar on stderr; it draws nothing when stderr is no terminal. */
  progress(label: string): ProgressBar {
    return new ProgressBar(label, !this.json && this.#stderr.isTTY ? this.#stderr : undefined);
  }
}

const WIDTH = 30;
const REDRAW_MS = 100;
const ERASE = '\r\u001b[K';

/** One line that is redrawn in place, and erased at the end. */
export class ProgressBar {
  readonly #label: string;
  readonly #terminal: NodeJS.WriteStream | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** @param terminal undefined draws nothing */
  constructor(label: string, terminal: NodeJS.WriteStream | undefined) {
    this.#label = label;
    this.#terminal = terminal;
  }

  /** @param share how much is done, from 0 to 1 */
  update(share: number, detail: string): void {
    if (!this.#terminal || performance.now() - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = performance.now();
    const bounded = Math.min(Math.max(share, 0), 1);
    const filled = Math.round(bounded * WIDTH);
    const bar = '#'.repeat(filled).padEnd(WIDTH, '.');
    const percent = String(Math.round(bounded * 100)).padStart(3);
    this.#terminal.write(`${ERASE}${this.#label} [${bar}] ${percent} % ${detail}`);
  }

  end(): void {
    if (this.#drawnAt !== Number.NEGATIVE_INFINITY) this.#terminal?.write(ERASE);
  }
}
