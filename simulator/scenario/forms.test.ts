import { expect, test } from 'vitest';
import { DOCUMENTED_BEHAVIOUR } from './behaviour.ts';
import { drawForms, formsFromEnvironment, formsWith, parseMissing } from './forms.ts';

const MISSING = ['nothing', 'vague', 'nameless'] as const;

test.each(MISSING)(
  'the same seed draws the same forms, and every form is drawn by some seed (missing: %s)',
  (missing) => {
    expect(drawForms('7', missing)).toEqual(drawForms('7', missing));
    const drawn = Array.from({ length: 200 }, (_, seed) => drawForms(String(seed), missing));
    for (const [name, forms] of Object.entries(formsWith(missing))) {
      const seen = new Set(drawn.map((one) => (one as Record<string, unknown>)[name]));
      expect([...seen].sort(), name).toEqual([...forms].sort());
    }
  },
);

test('the first of each form is the default', () => {
  const first = Object.entries(formsWith('nameless')).map(([name, [form]]) => [name, form]);
  expect(DOCUMENTED_BEHAVIOUR).toMatchObject(Object.fromEntries(first));
});

test('what may be missing does not change the other forms', () => {
  const vague = drawForms('7', 'vague');
  expect(vague).toMatchObject(drawForms('7'));
  expect(drawForms('7', 'nameless')).toMatchObject({ ...vague, userIds: expect.anything() });
});

test('without SIMULATOR_FORMS nothing is drawn', () => {
  expect(formsFromEnvironment('nothing', {})).toEqual({});
  for (const missing of MISSING) {
    const given = { SIMULATOR_FORMS: '7' };
    expect(formsFromEnvironment(missing, given)).toEqual(drawForms('7', missing));
  }
});

test('what may be missing is one of three words', () => {
  expect(MISSING.map(parseMissing)).toEqual(MISSING);
  expect(() => parseMissing('toString')).toThrow('allowed: nothing, vague, nameless');
});
