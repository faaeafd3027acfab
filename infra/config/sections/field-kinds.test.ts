import { expect, test } from 'vitest';
import { cronField, isTimeZone } from './field-kinds.ts';

const MINUTE = cronField(0, 59);
const DAY = cronField(1, 7, ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']);

test.each(['*', '0', '59', '05', '0,30', '0-30', '*/5', '10-50/20', '1,2-4,*/30'])(
  'the minute of a cron expression may be %s',
  (text) => expect(MINUTE(text)).toBe(true),
);
test.each(['', '60', '-1', '1-', '-', '1--2', '5/', '5/0', '1/2/3', 'a', '1 2', '1,,2', 'MON'])(
  'the minute of a cron expression may not be %j',
  (text) => expect(MINUTE(text)).toBe(false),
);
test.each([
  ['MON-FRI', true],
  ['sat,SUN', true],
  ['1', true],
  ['0', false],
  ['8', false],
  ['MO', false],
])('the day of the week of a cron expression may be %s: %s', (text, isGood) =>
  expect(DAY(text)).toBe(isGood),
);
test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['Europe/Atlantis', false],
  ['', false],
])('%s is a time zone: %s', (name, isGood) => expect(isTimeZone(name)).toBe(isGood));
