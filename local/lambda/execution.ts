import { pathToFileURL } from 'node:url';
import type { Context } from 'aws-lambda';

/** What the function sends to its execution. */
export interface Invocation {
  readonly event: unknown;
  readonly timeoutMs: number;
}

/** What the execution sends to its function. */
export type Outcome =
  | { readonly ready: true }
  | { readonly result: unknown }
  | { readonly error: string };

/**
 * One execution environment of a Lambda function: `node local/lambda/execution.ts <bundle>`. It imports the bundle
 * once, then runs one invocation after the other, as its parent sends them. The parent freezes this process in between.
 */
const [entry = ''] = process.argv.slice(2);
const { handler } = (await import(pathToFileURL(entry).href)) as {
  handler: (event: unknown, context: Context) => Promise<unknown>;
};

process.on('message', ({ event, timeoutMs }: Invocation) => {
  const endsAtMs = performance.now() + timeoutMs;
  const context = {
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - performance.now()),
  } as Context;
  handler(event, context).then(
    (result) => answer({ result }),
    (error: unknown) => answer({ error: String(error) }),
  );
});
// A child of the local stack does not live for its channel alone; an execution does.
process.channel?.ref();
answer({ ready: true });

function answer(outcome: Outcome): void {
  process.send?.(outcome);
}
