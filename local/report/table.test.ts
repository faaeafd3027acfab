import { describe, expect, it } from 'vitest';
import { ledgerTable, progressTable } from './table.ts';

describe('progressTable', () => {
  it('lines numbers up to the right and shows a dash for a lag that is not known yet', () => {
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

  it('leaves the sent columns out when nobody knows what was sent', () => {
    expect(progressTable([{ mediaType: 'audio', read: { frames: 2, bytes: 1024 } }])[0]).toBe(
      'media  read  KiB  lag ms',
    );
  });
});

describe('ledgerTable', () => {
  it('has a row per source', () => {
    const row = { mediaType: 'audio', source: 'Ana', received: 10, written: 9, lost: 1 };
    expect(ledgerTable([row])).toEqual([
      'media  source  received  written  lost',
      'audio  Ana           10        9     1',
    ]);
  });
});
