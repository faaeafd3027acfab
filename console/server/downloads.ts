import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { ServiceError } from '../../shared/errors.ts';
import { folderNameOf } from '../../shared/plain-text.ts';

/** Exit codes of `rtms` with a result on stdout: fine, something was found, contradictory. */
const RESULT_CODES: readonly (number | null)[] = [0, 1, 4];
/** A result that nobody fetches is deleted after this. */
const KEEP_MS = 60_000;
/** Exports read both streams: more at once would take the reads of live consumers. */
const MOST_AT_ONCE = 2;
export const DOWNLOAD_KINDS = ['explain', 'verify', 'export'] as const;
export type DownloadKind = (typeof DOWNLOAD_KINDS)[number];

/** A file that is ready to be fetched, once. */
export interface ReadyDownload {
  readonly fileName: string;
  readonly type: string;
  open(): Readable;
  remove(): Promise<void>;
}

/**
 * Runs `rtms explain`, `verify` and `export` for the page, each in a process of its own: hours of media are read without
 * keeping the page waiting, and what the page gives is what the command gives.
 */
export class Downloads {
  readonly #args: readonly string[];
  readonly #ready = new Map<string, ReadyDownload>();
  readonly #running = new Set<ChildProcess>();

  /** @param args flags by which `rtms` finds the deployment */
  constructor(args: readonly string[]) {
    this.#args = args;
  }

  /**
   * @returns the name under which `take` gives the file, once, within a minute
   * @throws ServiceError `cli/refused` with what the command says
   */
  async prepare(kind: DownloadKind, rtmsStreamId: string, signal: AbortSignal): Promise<string> {
    if (this.#running.size >= MOST_AT_ONCE) {
      throw new ServiceError(
        'cli/refused',
        'two downloads are being prepared; wait for one of them',
      );
    }
    const name = folderNameOf(rtmsStreamId);
    const ready =
      kind === 'export'
        ? await this.#export(rtmsStreamId, name, signal)
        : textFile(`${kind}-${name}.txt`, await this.#rtms([kind], rtmsStreamId, signal));
    const ticket = randomBytes(24).toString('base64url');
    this.#ready.set(ticket, ready);
    setTimeout(() => {
      if (this.#ready.delete(ticket)) void ready.remove();
    }, KEEP_MS).unref();
    return ticket;
  }

  take(ticket: string): ReadyDownload | undefined {
    const ready = this.#ready.get(ticket);
    this.#ready.delete(ticket);
    return ready;
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGTERM');
    await Promise.all([...this.#ready.values()].map((ready) => ready.remove()));
  }

  async #export(rtmsStreamId: string, name: string, signal: AbortSignal): Promise<ReadyDownload> {
    const directory = await mkdtemp(join(tmpdir(), 'rtms-console-'));
    const remove = () => rm(directory, { recursive: true, force: true });
    try {
      const out = join(directory, name);
      const said = await this.#rtms(['export', '--out', out], rtmsStreamId, signal);
      const files = await readdir(out, { recursive: true, withFileTypes: true });
      const open = () => {
        const zip = new ZipFile();
        zip.addBuffer(Buffer.from(said.replaceAll(out, name)), 'README.txt');
        for (const file of files.filter((each) => each.isFile())) {
          const path = join(file.parentPath, file.name);
          zip.addFile(path, relative(out, path).split(sep).join('/'));
        }
        zip.end();
        return zip.outputStream as Readable;
      };
      return { fileName: `export-${name}.zip`, type: 'application/zip', open, remove };
    } catch (error) {
      await remove();
      throw error;
    }
  }

  async #rtms(
    command: readonly string[],
    rtmsStreamId: string,
    signal: AbortSignal,
  ): Promise<string> {
    const root = dirname(findPackageJSON(import.meta.url) ?? '.');
    // The id stands behind `--`: one that begins with a dash is no option.
    const args = [join(root, 'cli', 'rtms.mjs'), ...command, ...this.#args, '--', rtmsStreamId];
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: process.env,
    });
    this.#running.add(child);
    const end = () => child.kill('SIGTERM');
    signal.addEventListener('abort', end);
    try {
      const [said, complained, code] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        new Promise<number | null>((resolve) => child.once('close', resolve)),
      ]);
      if (RESULT_CODES.includes(code) && said !== '') return said;
      throw new ServiceError('cli/refused', complained.trim() || `rtms ended with ${code}`);
    } finally {
      signal.removeEventListener('abort', end);
      this.#running.delete(child);
    }
  }
}

function textFile(fileName: string, content: string): ReadyDownload {
  return {
    fileName,
    type: 'text/plain; charset=utf-8',
    open: () => Readable.from([content]),
    remove: async () => undefined,
  };
}
