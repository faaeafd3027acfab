import { expect, test } from 'vitest';
import type { LogFields, Logger } from '../../shared/logger.ts';
import { limitLog } from './log.ts';

function record(): { logger: Logger; lines: [string, LogFields][] } {
  const lines: [string, LogFields][] = [];
  const say = (message: string, fields: LogFields = {}) => void lines.push([message, fields]);
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger };
  return { logger, lines };
}

test('a message passes twenty times, then once in ten seconds with the number left out', () => {
  const { logger, lines } = record();
  let nowMs = 0;
  const limited = limitLog(logger, () => nowMs);
  for (let index = 0; index < 10_000; index += 1) {
    limited.info('state', { index });
    limited.child({ scope: 'audio' }).info('state', { index });
    nowMs += 1;
  }
  expect(lines).toHaveLength(20);
  limited.info('state', {});
  expect(lines.slice(20)).toEqual([['state', { suppressed: 19_980 }]]);
  expect(limited.suppressed).toBe(0);
});

test('other messages are not held back by a frequent one', () => {
  const { logger, lines } = record();
  const limited = limitLog(logger, () => 0);
  for (let index = 0; index < 100; index += 1) limited.warn('often');
  limited.error('rare', { code: 7 });
  expect(lines.at(-1)).toEqual(['rare', { code: 7 }]);
  expect(limited.suppressed).toBe(80);
});
