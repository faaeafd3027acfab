declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Starts nothing yet: the caller listens. State lives in memory and goes with `close`. */
  function dynalite(options?: { createTableMs?: number; deleteTableMs?: number }): Server;
  export = dynalite;
}
