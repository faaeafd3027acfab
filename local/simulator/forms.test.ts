import { expect, test } from 'vitest';
import { DOCUMENTED_BEHAVIOUR } from './behaviour.ts';
import { drawForms, FORMS, formsFromEnvironment } from './forms.ts';

test('the same seed draws the same forms, and every form is drawn by some seed', () => {
  expect(drawForms('7')).toEqual(drawForms('7'));
  const drawn = Array.from({ length: 200 }, (_, seed) => drawForms(String(seed)));
  for (const [name, forms] of Object.entries(FORMS)) {
    const seen = new Set(drawn.map((one) => one[name as keyof typeof FORMS]));
    expect([...seen].sort(), name).toEqual([...forms].sort());
  }
});

test('the first of each form is the default', () => {
  const first = Object.entries(FORMS).map(([name, [form]]) => [name, form]);
  expect(DOCUMENTED_BEHAVIOUR).toMatchObject(Object.fromEntries(first));
});

test('without SIMULATOR_FORMS nothing is drawn', () => {
  expect(formsFromEnvironment({})).toEqual({});
  expect(formsFromEnvironment({ SIMULATOR_FORMS: '7' })).toEqual(drawForms('7'));
});
