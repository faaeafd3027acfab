import { describe, expect, it } from 'vitest';
import { terminalReporter } from './terminal-reporter.ts';

const ROW = { mediaType: 'audio', read: { frames: 1, bytes: 1024 } };
const happening = { kind: 'session_started', atMs: 0, fields: {}, text: 'session started' };

function record(isTTY: boolean) {
  let written = '';
  const reporter = terminalReporter({ isTTY, columns: 80, write: (text) => (written += text) });
  return { reporter, written: () => written };
}

describe('terminalReporter', () => {
  it('wipes the table, prints the line and draws the table again below it', () => {
    const { reporter, written } = record(true);
    reporter.progress([ROW]);
    const before = written().length;
    reporter.happening(happening);
    const added = written().slice(before);
    expect(added.startsWith('\x1b[3A\x1b[0J')).toBe(true);
    expect(added.indexOf('session started')).toBeLessThan(added.indexOf('audio'));
  });

  it('writes plain lines and no table while it runs when stdout is not a terminal', () => {
    const { reporter, written } = record(false);
    reporter.progress([ROW]);
    reporter.happening(happening);
    expect(written()).toBe('00:00:00.000  session started\n');
  });

  it('ends with the ledger, the verdict and the files', () => {
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

  it('says of an incomplete meeting whether anything is known to be lost', () => {
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
    expect(written()).toContain(
      `1 meeting(s), ${lostInWords}: incomplete\n  chat may lack lines\n`,
    );
  });
});
