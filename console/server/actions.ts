import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';
import type { OperatorRequest } from '../../shared/session-table/operator-writes.ts';
import { isUnowned } from '../../shared/session-table/session-row.ts';
import type { ActionView } from '../views.ts';
import { wordsOf } from './problems.ts';
import { readSessionRows, sendOperatorRequest } from './table.ts';

/** One thing that somebody may do from the page. */
export interface ConsoleAction extends ActionView {
  /**
   * @param target id of the runner or of the meeting's stream; empty for the whole stack
   * @returns what was done, in a sentence
   * @throws ServiceError
   */
  readonly run: (target: string) => Promise<string>;
}

const REQUEST = v.strictObject({
  action: v.pipe(v.string(), v.maxLength(64)),
  target: v.pipe(v.string(), v.maxLength(512)),
});

/** @throws ServiceError `config/invalid`, `cli/refused` */
export async function runAction(actions: readonly ConsoleAction[], body: unknown): Promise<string> {
  const { success, output } = v.safeParse(REQUEST, body);
  if (!success) throw new ServiceError('config/invalid', 'an action needs a name and a target');
  const action = actions.find(({ name }) => name === output.action);
  if (action === undefined) {
    const what =
      actions.length === 0
        ? 'this console only reads; --act lets it act'
        : `no such action: ${output.action}`;
    throw new ServiceError('cli/refused', what);
  }
  return action.run(output.target);
}

export function viewsOf(actions: readonly ConsoleAction[]): ActionView[] {
  return actions.map(({ run: _, ...view }) => view);
}

/** What an operator may ask of the owner of a meeting: the same as `rtms handover` and `rtms stop`. */
export function meetingActions(client: DynamoDBDocumentClient, table: string): ConsoleAction[] {
  const ask = async (rtmsStreamId: string, request: OperatorRequest, said: string) => {
    try {
      const { sessions } = await readSessionRows(client, table, false);
      const seen = sessions.find((row) => row.rtmsStreamId === rtmsStreamId);
      if (seen === undefined || isUnowned(seen)) {
        throw new ServiceError('cli/refused', 'nobody serves this meeting now');
      }
      if (!(await sendOperatorRequest(client, table, seen, request))) {
        throw new ServiceError('cli/refused', 'the meeting has just changed its runner: try again');
      }
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      const words = wordsOf(error, 'session table', 'dynamodb:UpdateItem');
      throw new ServiceError('cli/refused', words, { cause: error });
    }
    return said;
  };
  return [
    {
      name: 'handover',
      label: 'Fail over',
      target: 'meeting',
      hint: 'Gives the meeting to another runner, as a deployment does',
      run: (id) =>
        ask(id, 'handover', 'Asked its runner to hand the meeting over; it acts within 2 s'),
    },
    {
      name: 'stop',
      label: 'End meeting',
      target: 'meeting',
      confirm: 'End the recording of this meeting for good?',
      hint: 'Ends the stream at Zoom; the meeting itself goes on without us',
      run: (id) => ask(id, 'stop', 'Asked its runner to end the stream; it acts within 2 s'),
    },
  ];
}
