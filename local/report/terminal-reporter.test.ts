import { expect, test } from 'vitest';
import { ledgerTable, progressTable, terminalReporter } from './terminal-reporter.ts';

const ROW = { mediaType: 'audio', read: { frames: 1, bytes: 1024 } };
const happening = { kind: 'session_started', atMs: 0, fields: {}, text: 'session started' };

function record(isTTY: boolean) {
  let written = '';
  const reporter = terminalReporter({ isTTY, columns: 80, write: (text) => (written += text) });
  return { reporter, written: () => written };
}

test('the terminal reporter prints a line above the table and draws the table again', () => {
  const { reporter, written } = record(true);
  reporter.progress([ROW]);
  const before = written().length;
  reporter.happening(happening);
  const added = written().slice(before);
  expect(added.startsWith('\x1b[3A\x1b[0J')).toBe(true);
  expect(added.indexOf('session started')).toBeLessThan(added.indexOf('audio'));
});

test('without a terminal only plain lines are written while the meeting runs', () => {
  const { reporter, written } = record(false);
  reporter.progress([ROW]);
  reporter.happening(happening);
  expect(written()).toBe('00:00:00.000  session started\n');
});

test('the report ends with the ledger, the verdict and the files', () => {
  const { reporter, written } = record(false);
  reporter.progress([ROW]);
  reporter.summary({
    meetings: 1,
    ledger: [{ mediaType: 'audio', source: 'Ana', received: 1, written: 1, lost: 0 }],
    lost: 0,
    lostInWords: '',
    verdict: 'complete',
    losses: [],
    problems: [],
    files: [{ path: 'out/ana.wav', what: '1.0 s' }],
    notes: ['out/ana.mp4 lacks 2 pictures'],
  });
  expect(written()).toMatch(/audio +Ana +1 +1 +0[\s\S]*lost 0[\s\S]*out\/ana\.wav/);
  expect(written().trimEnd().split('\n').at(-1)).toBe('  out/ana.mp4 lacks 2 pictures');
});

test('the report of an incomplete meeting says whether anything is known to be lost', () => {
  const { reporter, written } = record(false);
  const lostInWords = 'nothing is known to be lost, but something may be in 1 time';
  const losses = ['chat may lack lines'];
  const nothing = { ledger: [], problems: [], files: [], notes: [] };
  reporter.summary({
    meetings: 1,
    lost: 0,
    lostInWords,
    verdict: 'incomplete',
    losses,
    ...nothing,
  });
  expect(written()).toContain(`1 meeting(s), ${lostInWords}: incomplete\n  chat may lack lines\n`);
});

test('the progress table aligns numbers to the right and shows a dash for an unknown lag', () => {
  const rows = [
    {
      mediaType: 'audio',
      sent: { frames: 1500, bytes: 960_000 },
      read: { frames: 1490, bytes: 953_600 },
      lagMs: 212.4,
    },
    { mediaType: 'video', sent: { frames: 3, bytes: 2048 }, read: { frames: 0, bytes: 0 } },
  ];
  expect(progressTable(rows)).toEqual([
    'media  sent  KiB  read  KiB  lag ms',
    'audio  1500  938  1490  931     212',
    'video     3    2     0    0       -',
  ]);
});

test('the progress table has no sent columns when nobody knows what was sent', () => {
  expect(progressTable([{ mediaType: 'audio', read: { frames: 2, bytes: 1024 } }])[0]).toBe(
    'media  read  KiB  lag ms',
  );
});

test('the ledger table has one row per source', () => {
  const row = { mediaType: 'audio', source: 'Ana', received: 10, written: 9, lost: 1 };
  expect(ledgerTable([row])).toEqual([
    'media  source  received  written  lost',
    'audio  Ana           10        9     1',
  ]);
});
