import type { Answer } from './answer.ts';
import type { Meetings } from './meetings.ts';

/** One call of a tool. */
export interface ToolCall {
  readonly meetings: Meetings;
  /** Aborts when the client cancels, or goes away. */
  readonly signal: AbortSignal;
  /** Where exports go; absent when this server writes nothing. */
  readonly folder: string | undefined;
}

/** Draft 2020-12, as the protocol wants it. Every property has a description and its bounds. */
export interface ArgumentsSchema {
  readonly type: 'object';
  readonly properties: Readonly<Record<string, object>>;
  readonly required?: readonly string[];
  readonly additionalProperties: false;
}

/** A tool as it is offered. Its texts are fixed: nothing of a meeting stands in them. */
export interface Tool<Arguments> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: ArgumentsSchema;
  /** Whether it changes nothing, so that a client need not ask its user. */
  readonly readOnly: boolean;
  /** @param args as `input` allows them @throws ServiceError */
  readonly run: (args: Arguments, call: ToolCall) => Promise<Answer>;
}

export const MEETING_ARGUMENT = {
  type: 'string',
  minLength: 1,
  maxLength: 512,
  description:
    'which meeting: an id that list_meetings gives, a meeting number or UUID, a part of its topic, or a time ("yesterday 10:00")',
} as const;

export const MARK_ARGUMENT = {
  type: 'string',
  minLength: 1,
  maxLength: 8192,
  description: 'the mark of an earlier answer about the same meeting: go on behind it',
} as const;
