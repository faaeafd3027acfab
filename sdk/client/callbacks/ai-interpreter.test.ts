import { expect, test } from 'vitest';
import { AiInterpreters, noInterpreter } from './ai-interpreter.ts';

const TARGET = { lid: 13, tone_id: 3, voice_id: 7, engine: 'e1' };

function announce(interpreter: unknown, userId: unknown = 5) {
  return { msg_type: 23, content: { user_id: userId, ai_interpreter: interpreter } };
}

test('the AI interpreter of each participant is remembered', () => {
  const interpreters = new AiInterpreters();
  const wire = { lid: 9, timestamp: 17, channel_num: 2, sample_rate: 3, targets: [TARGET] };
  interpreters.learn(announce(wire));
  expect(interpreters.of(5)).toEqual({
    lid: 9,
    timestamp: 17,
    channelNum: 2,
    sampleRate: 3,
    targets: [{ lid: 13, toneId: 3, voiceId: '7', engine: 'e1' }],
  });
  expect(interpreters.of(6)).toEqual(noInterpreter());
  expect(interpreters.of(undefined)).toEqual(noInterpreter());
});

test.for([
  [undefined],
  ['text'],
  [{ msg_type: 24 }],
  [{ msg_type: 23 }],
  [announce(undefined)],
  [announce({ lid: 'x' })],
  [announce({ lid: 1 }, '5')],
])('a message that does not announce an AI interpreter is ignored: %j', ([raw]) => {
  const interpreters = new AiInterpreters();
  interpreters.learn(raw);
  expect(interpreters.of(5)).toEqual(noInterpreter());
});

test('an AI interpreter keeps at most 99 targets', () => {
  const interpreters = new AiInterpreters();
  interpreters.learn(announce({ lid: 1, targets: Array(500).fill(TARGET) }));
  expect(interpreters.of(5).targets).toHaveLength(99);
});

test('a program may change the AI interpreter that it is handed', () => {
  const interpreters = new AiInterpreters();
  interpreters.learn(announce({ lid: 1, targets: [TARGET] }));
  interpreters.of(5).targets.length = 0;
  interpreters.of(6).lid = 7;
  expect(interpreters.of(5).targets).toHaveLength(1);
  expect(interpreters.of(6).lid).toBe(0);
});
