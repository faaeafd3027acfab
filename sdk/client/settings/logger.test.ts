import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { configureLogger, LogFormat, LogLevel } from '../index.ts';
import { createSdkLogger } from './logger.ts';

let lines: string[] = [];

beforeEach(() => {
  lines = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
  configureLogger({ enabled: true, level: LogLevel.INFO, format: LogFormat.PROGRESSIVE });
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});
// Other files of this thread share the logger, and read its lines.
afterAll(() =>
  configureLogger({ enabled: true, level: LogLevel.INFO, format: LogFormat.PROGRESSIVE }),
);

test('a progressive log line ends with its fields', () => {
  createSdkLogger('client', { rtmsStreamId: 's1' }).info('joining', {
    product: 'meeting',
    none: undefined,
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^client {3}\| \d{4}-.*Z \| INFO {2}\| joining rtmsStreamId=s1 product=meeting\n$/,
  );
});

test('a JSON log line has errors by name and message', () => {
  configureLogger({ format: LogFormat.JSON });
  createSdkLogger('rtms')
    .child({ a: 1 })
    .error('failed', { error: new TypeError('why') });
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    timestamp: expect.any(String),
    level: 'error',
    component: 'rtms',
    message: 'failed',
    details: { a: 1, error: { name: 'TypeError', message: 'why' } },
  });
});

test('messages below the log level are not written', () => {
  const logger = createSdkLogger('rtms');
  logger.debug('no');
  configureLogger({ level: LogLevel.WARN });
  logger.info('no');
  logger.warn('yes', { list: ['a', 'b'], error: new Error('why') });
  configureLogger({ level: LogLevel.DEBUG });
  logger.debug('yes');
  expect(lines.map((line) => line.split(' | ')[3])).toEqual([
    "yes list=[ 'a', 'b' ] error=why\n",
    'yes\n',
  ]);
});

test('a disabled logger writes nothing', () => {
  configureLogger({ enabled: false });
  createSdkLogger('rtms').error('no');
  expect(lines).toEqual([]);
});

const FORGED = [
  ['a line break', 'x\nrtms     | 2026-01-01T00:00:00.000Z | INFO  | all is well'],
  ['a line separator', 'x\u2028rtms | all is well'],
  ['an escape sequence', 'x\u001b[2K\u001b[1Gall is well'],
  ['a mark of writing direction', 'x\u202ellew si lla'],
  ['a field', 'x" code=200 ok="yes'],
] as const;

test.for(FORGED)('%s in a logged value forges neither a line nor a field', ([, value]) => {
  const logger = createSdkLogger('webhook');
  logger.warn('refused', { event: value, error: new Error(value) });
  configureLogger({ format: LogFormat.JSON });
  logger.warn('refused', { event: value });
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(line.slice(0, -1)).toMatch(/^[^\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e]*$/u);
    // What is quoted is one value.
    expect(line.replace(/"(?:[^"\\]|\\.)*"/g, '""')).not.toMatch(/(code|ok)=|all is well/);
  }
  expect(JSON.parse(lines[1] ?? '').details).toEqual({ event: value });
});
