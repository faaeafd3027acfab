import type { Answer } from './answer.ts';
import { type ArgumentSchema, type ArgumentsSchema, schemaOf, type ValueOf } from './arguments.ts';
import type { Meetings } from './meetings.ts';

/** One call of a tool. */
export interface ToolCall {
  readonly meetings: Meetings;
  /** Aborts when the client cancels, or goes away. */
  readonly signal: AbortSignal;
  /** Where exports go; absent when this server writes nothing. */
  readonly folder: string | undefined;
}

/** What every tool says of itself. These texts are fixed: nothing of a meeting stands in them. */
interface ToolWords {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Whether it changes nothing, so that a client need not ask its user. */
  readonly readOnly: boolean;
}

/** A tool as it is offered. */
export interface Tool extends ToolWords {
  readonly input: ArgumentsSchema;
  /** @param args as `input` allows them @throws ServiceError */
  readonly run: (args: unknown, call: ToolCall) => Promise<Answer>;
}

type Named = Readonly<Record<string, ArgumentSchema>>;

interface ToolDefinition<Required extends Named, Optional extends Named> extends ToolWords {
  readonly required: Required;
  readonly optional: Optional;
  readonly run: (
    args: { readonly [Name in keyof Required]: ValueOf<Required[Name]> } & {
      readonly [Name in keyof Optional]?: ValueOf<Optional[Name]>;
    },
    call: ToolCall,
  ) => Promise<Answer>;
}

/** Makes a tool. What `run` gets is typed by the schemas of its arguments, so the two cannot differ. */
export function defineTool<const Required extends Named, const Optional extends Named>({
  required,
  optional,
  run,
  ...words
}: ToolDefinition<Required, Optional>): Tool {
  return {
    ...words,
    input: schemaOf(required, optional),
    // The SDK has checked the arguments against `input` before it calls.
    run: (args, call) => run(args as Parameters<typeof run>[0], call),
  };
}
