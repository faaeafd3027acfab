import { expect, test } from 'vitest';
import { MESSAGE_TYPE, SESSION_STATE } from './protocol/constants.ts';
import type { SessionStateResp, SessionStateUpdate } from './protocol/decode-signaling.ts';
import { SessionStates } from './session-states.ts';

const { STARTED, PAUSED, STOPPED } = SESSION_STATE;

function update(state: number, rtmsSessionId?: string) {
  const msgType = MESSAGE_TYPE.SESSION_STATE_UPDATE;
  return { msgType, state, ...(rtmsSessionId && { rtmsSessionId }), raw: {} } as SessionStateUpdate;
}

function answer(state: number, rtmsSessionId?: string) {
  const msgType = MESSAGE_TYPE.SESSION_STATE_RESP;
  return { msgType, state, ...(rtmsSessionId && { rtmsSessionId }), raw: {} } as SessionStateResp;
}

test('a session is open from its start until it stops', () => {
  const states = new SessionStates();
  states.take(update(STARTED, 'a'), 1);
  states.take(update(STARTED, 'b'), 2);
  expect(states.open).toEqual(['a', 'b']);
  states.take(update(STOPPED, 'a'), 3);
  expect(states.open).toEqual(['b']);
});

test('a message without a session id is about the only open session, if there is only one', () => {
  const states = new SessionStates();
  expect(states.take(update(PAUSED), 1)).toBeUndefined();
  states.take(update(STARTED, 'a'), 1);
  expect(states.take(update(PAUSED), 2)).toMatchObject({ rtmsSessionId: 'a', timestampMs: 2 });
  states.take(update(STARTED, 'b'), 3);
  expect(states.take(update(PAUSED), 4)).toBeUndefined();
});

test('an answer with the state that is known tells no change', () => {
  const states = new SessionStates();
  states.take(update(STARTED, 'a'), 1);
  expect(states.take(answer(STARTED, 'a'), 2)).toBe('known');
  expect(states.take(answer(PAUSED, 'a'), 3)).toMatchObject({ state: PAUSED });
});

test('no more than 1000 sessions are kept', () => {
  const states = new SessionStates();
  for (let id = 0; id < 1_001; id++) states.take(update(STARTED, `s${id}`), id);
  expect(states.open).toHaveLength(1_000);
});
