import { expect, test } from 'vitest';
import { DOCUMENTED_BEHAVIOUR } from './behaviour.ts';
import { drawForms, FORMS, formsFromEnvironment, LOSSY_FORMS } from './forms.ts';

test('the same seed draws the same forms, and every form is drawn by some seed', () => {
  expect(drawForms('7')).toEqual(drawForms('7'));
  for (const lossy of [false, true]) {
    const all = lossy ? { ...FORMS, ...LOSSY_FORMS } : FORMS;
    const drawn = Array.from({ length: 200 }, (_, seed) => drawForms(String(seed), lossy));
    for (const [name, forms] of Object.entries(all)) {
      const seen = new Set(drawn.map((one) => one[name as keyof typeof all]));
      expect([...seen].sort(), name).toEqual([...forms].sort());
    }
  }
});

test('the first of each form is the default', () => {
  const first = Object.entries({ ...FORMS, ...LOSSY_FORMS }).map(([name, [form]]) => [name, form]);
  expect(DOCUMENTED_BEHAVIOUR).toMatchObject(Object.fromEntries(first));
});

test('without SIMULATOR_FORMS nothing is drawn', () => {
  expect(formsFromEnvironment(false, {})).toEqual({});
  for (const lossy of [false, true]) {
    const given = { SIMULATOR_FORMS: '7' };
    expect(formsFromEnvironment(lossy, given)).toEqual(drawForms('7', lossy));
  }
});
