import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { exactText, parseExact } from './exact-json.ts';

test.for([
  ['the order of keys', '{"event":"e","event_ts":1,"payload":{"b":1,"a":2}}'],
  ['a number of 19 digits', '{"payload":{"call_id":7481203947561029384},"n":[9007199254740993]}'],
  ['a fraction with a zero', '{"a":1.0,"b":[2.50,1e3,-0]}'],
  ['escapes that JSON need not have', '{"url":"wss:\\/\\/a.zoom.us\\u002f","name":"J\\u00f6rg"}'],
  ['null, true and false', '[null,true,false,""]'],
  ['a key __proto__', '{"__proto__":1.0,"a":{"__proto__":{"b":1.0}}}'],
  ['a key toJSON', '{"toJSON":1,"a":2}'],
  ['a bare value', '1.0'.slice(0, 1)],
])('JSON.stringify writes %s as it was received', ([, text]) => {
  expect(JSON.stringify(parseExact(text as string))).toBe(text);
});

test('parseExact gives the values of JSON.parse, also to a comparison and a clone', () => {
  const text = '{"call_id":7481203947561029384,"list":[1.0],"name":"J\\u00f6rg"}';
  expect(parseExact(text)).toStrictEqual(JSON.parse(text));
  expect(structuredClone(parseExact(text))).toStrictEqual(JSON.parse(text));
  expect({ ...(parseExact(text) as object) }).toStrictEqual(JSON.parse(text));
});

test('JSON.stringify writes what a program has changed and added', () => {
  const event = parseExact('{"id":7481203947561029384,"other":1.0}') as Record<string, unknown>;
  event['id'] = 5;
  event['more'] = true;
  expect(JSON.stringify(event)).toBe('{"id":5,"other":1.0,"more":true}');
  expect(exactText(event, 'id')).toBeUndefined();
});

test('exactText has all digits of a long number', () => {
  const payload = parseExact('{"call_id":7481203947561029384,"n":5}') as object;
  expect(exactText(payload, 'call_id')).toBe('7481203947561029384');
  expect(exactText(payload, 'n')).toBeUndefined();
  expect(exactText({}, 'call_id')).toBeUndefined();
});

property.prop([fc.json()])(
  'JSON.stringify writes any JSON without spaces as it was received',
  (json) => {
    const value = JSON.parse(json) as unknown;
    const text = JSON.stringify(value);
    // Whole-number keys are put in order by every object.
    fc.pre(!/"\d+":/.test(text));
    expect(JSON.stringify(parseExact(text))).toBe(text);
    expect(parseExact(text)).toEqual(value);
  },
);
