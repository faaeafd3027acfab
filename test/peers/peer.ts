import type { ToolChain } from './tool-chains.ts';

/** One row of docs/proof.md: what somebody else's software said about us in this run. */
export interface ProofLine {
  /** The software and where it comes from, as `aws-kinesis-agg (PyPI)`. */
  readonly software: string;
  /** As the software tells it in this run, never a constant. */
  readonly version: string;
  /** What was proven, or what was to be proven; one sentence. */
  readonly what: string;
  /** Counts and sizes of this run; of a line that is not proven, the reason. */
  readonly figures: string;
  /** `false`: it could not be proven here, and `figures` says why. That is no failure. @default true */
  readonly isProven?: boolean;
}

/** What a peer gets to work with. */
export interface PeerWork {
  /** A folder for what this run writes. It is new and deleted after the run. */
  readonly scratch: string;
  /** Prints one line, under the name of the peer. */
  say(text: string): void;
  /** With `--write`: stores a page of what was seen, `name` in docs/. Without it: does nothing. */
  writePage(name: string, text: string): Promise<void>;
}

/**
 * Software of others that judges ours. Each has a folder of its own under `test/peers/` and a line in registry.ts.
 * `run` throws when the software found something wrong: that fails the whole run.
 */
export interface Peer {
  /** In kebab case, as it is given to `npm run test:peers -- <name>`. */
  readonly name: string;
  readonly needs: readonly ToolChain[];
  /** It is stopped and has failed after this long, installation included. @default 10 */
  readonly atMostMinutes?: number;
  /** It measures no time and gives nobody a limit of seconds, so it runs beside another of that kind. @default false */
  readonly isTimeless?: boolean;
  /** Fetches what `run` will ask for into the cache. It is called while peers before this one run. */
  readonly install: () => Promise<unknown>;
  /** Defects of ours that this peer found, each with how it was mended: the list in docs/proof.md. */
  readonly defects?: readonly string[];
  run(work: PeerWork): Promise<readonly ProofLine[]>;
}
