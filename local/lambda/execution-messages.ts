/** From the function to its execution. */
export interface Invocation {
  readonly event: unknown;
  readonly timeoutMs: number;
}

/** From the execution to its function. */
export type Outcome =
  | { readonly ready: true }
  | { readonly result: unknown }
  | { readonly error: string };
