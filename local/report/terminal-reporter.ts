import { styleText } from 'node:util';
import { toPlainText } from '../../shared/plain-text.ts';
import { layOut } from '../../shared/table.ts';
import type { Progress, Reporter, ReportRow } from './reporter.ts';

/** What the reporter needs of stdout. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * Reports to people. On a terminal, a table stays below the lines and is refreshed in place. Elsewhere (a pipe, a CI
 * log) only lines are printed, and the table once at the end.
 *
 * Names and words of a meeting pass through `toPlainText`, so that nobody in a meeting can control the terminal or
 * forge a line.
 */
export function terminalReporter(
  terminal: Terminal,
  environment: NodeJS.ProcessEnv = process.env,
): Reporter {
  const isColoured = terminal.isTTY === true && !environment['NO_COLOR'];
  let footer: string[] = [];
  let latest: readonly Progress[] = [];
  const colour = (format: Parameters<typeof styleText>[0], text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text;

  const erase = () => (footer.length > 0 ? `\x1b[${footer.length}A\x1b[0J` : '');
  const draw = () => footer.map((line) => `${line.slice(0, terminal.columns ?? 80)}\n`).join('');
  const print = (...lines: string[]) =>
    void terminal.write(`${erase()}${lines.map((line) => `${line}\n`).join('')}${draw()}`);

  return {
    ready(info) {
      print(
        `${colour('bold', 'rtms-kinesis')} is up, on local AWS (${info.region})`,
        `  console   ${colour('bold', info.consoleUrl)}`,
        `  webhook   ${info.webhookUrl}`,
        `  kinesis   ${info.endpoints.kinesis}  streams ${info.streams.media}, ${info.streams.events}`,
        ...(info.archive === undefined ? [] : [`  archive   ${info.archive}`]),
        `  runners   ${info.runners.map(({ taskId, pid }) => `${taskId} (pid ${pid})`).join(', ')}`,
        '',
      );
    },
    happening({ atMs, text }) {
      print(`${colour('dim', clock(atMs))}  ${toPlainText(text)}`);
    },
    transcript({ atMs, speaker, text }) {
      print(
        `${colour('dim', clock(atMs))}  ${colour('cyan', `${toPlainText(speaker)}:`)} ${toPlainText(text)}`,
      );
    },
    progress(rows) {
      latest = rows;
      if (!terminal.isTTY) return;
      const wipe = erase();
      footer = ['', ...progressTable(rows)];
      terminal.write(`${wipe}${draw()}`);
    },
    summary({ meetings, ledger, lost, lostInWords, verdict, losses, problems, files, notes }) {
      const wipe = erase();
      footer = [];
      terminal.write(wipe);
      print('', ...progressTable(latest), '', 'Ledger, proved from the two streams alone:');
      print(...ledgerTable(ledger).map(toPlainText), '');
      print(
        verdict === 'complete'
          ? colour('green', `${meetings} meeting(s), every frame accounted for, lost 0: complete`)
          : colour(
              verdict === 'incomplete' ? 'yellow' : 'red',
              `${meetings} meeting(s), ${verdict === 'incomplete' ? lostInWords : `lost ${lost}`}: ${verdict}`,
            ),
        ...losses.map((loss) => colour('yellow', `  ${toPlainText(loss)}`)),
        ...problems.map((problem) => colour('red', `  ${toPlainText(problem)}`)),
        '',
        ...files.map(({ path, what }) => `  ${toPlainText(path)}  ${colour('dim', what)}`),
        ...notes.map((note) => `  ${toPlainText(note)}`),
      );
    },
  };
}

const clock = (atMs: number) => new Date(atMs).toISOString().slice(11, 23);

export function progressTable(rows: readonly Progress[]): string[] {
  const showsSent = rows.some((row) => row.sent !== undefined);
  const header = ['media', ...(showsSent ? ['sent', 'KiB'] : []), 'read', 'KiB', 'lag ms'];
  return layOut(
    header,
    rows.map((row) => [
      row.mediaType,
      ...(showsSent ? [row.sent?.frames ?? 0, kibibytes(row.sent?.bytes ?? 0)] : []),
      row.read.frames,
      kibibytes(row.read.bytes),
      row.lagMs === undefined ? undefined : Math.round(row.lagMs),
    ]),
  );
}

export function ledgerTable(rows: readonly ReportRow[]): string[] {
  return layOut(
    ['media', 'source', 'received', 'written', 'lost'],
    rows.map((row) => [row.mediaType, row.source, row.received, row.written, row.lost]),
  );
}

const kibibytes = (bytes: number) => Math.round(bytes / 1024);
