import { describe, expect, test } from 'vitest';
import { ReorderWindow } from './reorder-window.ts';

const item = (atMs: number, sizeBytes = 1) => ({
  capturedAt: new Date(atMs),
  payload: new Uint8Array(sizeBytes),
});

function take(window: ReorderWindow<string>, nowMs: number): string[] {
  const taken: string[] = [];
  for (let next = window.take(nowMs); next; next = window.take(nowMs)) taken.push(next);
  return taken;
}

describe('ReorderWindow', () => {
  test('hands out at once, in order of arrival, with a window of 0', () => {
    const window = new ReorderWindow<string>(0);
    window.push('late', item(50), 0);
    window.push('early', item(10), 0);
    expect(take(window, 0)).toEqual(['late', 'early']);
  });

  test('brings speakers into order of capture', () => {
    const window = new ReorderWindow<string>(100);
    window.push('b', item(60), 0);
    window.push('a', item(20), 0);
    expect(take(window, 1)).toEqual([]);
    window.push('d', item(160), 2);
    window.push('c', item(60), 2);
    expect(take(window, 3)).toEqual(['a', 'b', 'c']);
    expect(window.drain()).toBe('d');
    expect(window.drain()).toBeUndefined();
  });

  test('holds no frame longer than its window when the other sources are silent', () => {
    const window = new ReorderWindow<string>(100);
    window.push('a', item(20), 1_000);
    expect(take(window, 1_099)).toEqual([]);
    expect(take(window, 1_100)).toEqual(['a']);
  });

  test('holds 32 MiB at most', () => {
    const window = new ReorderWindow<string>(1_000_000);
    window.push('a', item(1, 20 * 1024 * 1024), 0);
    window.push('b', item(2, 20 * 1024 * 1024), 0);
    expect(take(window, 0)).toEqual(['a']);
  });
});
