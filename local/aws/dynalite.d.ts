declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** Makes a server that does not listen yet. Its state is in memory, until `close`. */
  function dynalite(options?: { createTableMs?: number; deleteTableMs?: number }): Server;
  export = dynalite;
}
