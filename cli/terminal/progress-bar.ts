const WIDTH = 30;
const REDRAW_MS = 100;
const ERASE = '\r\u001b[K';

/** One line that is drawn over and over, and gone at the end. */
export class ProgressBar {
  readonly #label: string;
  readonly #terminal: NodeJS.WriteStream | undefined;
  #drawnAt = Number.NEGATIVE_INFINITY;

  /** @param terminal undefined: draw nothing */
  constructor(label: string, terminal: NodeJS.WriteStream | undefined) {
    this.#label = label;
    this.#terminal = terminal;
  }

  /** @param share done, from 0 to 1 */
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
