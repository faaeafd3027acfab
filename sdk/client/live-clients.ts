/** What the rest of the SDK asks of a client that has joined. */
export interface LiveClient {
  readonly rtmsStreamId: string;
  /** The client was told to leave, or has ended: it no longer serves the stream. */
  readonly isLeaving: boolean;
  /** Leaves and waits until its last callback has finished. */
  finish(): Promise<void>;
  /** Another client waits for the stream. Resolves when the sockets are closed and `onLeave` was called. */
  giveWay(): Promise<void>;
  /** A second started webhook came: joins again when its addresses are new. */
  failOver(serverUrls: readonly string[]): void;
  /** Zoom lost the connection of the client at `eventTsMs`, Unix ms: joins again unless it has done so since. */
  interrupted(eventTsMs: number): void;
}

const unfinished = new Set<LiveClient>();
let empty = Promise.withResolvers<void>();
empty.resolve();

/** The client of this process that is on a stream; Zoom allows one. A client that is leaving does not count. */
export function liveClient(rtmsStreamId: string): LiveClient | undefined {
  return clientsOf(rtmsStreamId).find((client) => !client.isLeaving);
}

/** Asks the clients that are on a stream to make way. @returns resolves when they have; undefined when there are none */
export function streamFree(rtmsStreamId: string): Promise<unknown> | undefined {
  const clients = clientsOf(rtmsStreamId);
  return clients.length === 0 ? undefined : Promise.all(clients.map((client) => client.giveWay()));
}

/** Clients that have joined and whose last callback has not finished. */
export function unfinishedClients(): LiveClient[] {
  return [...unfinished];
}

export function addLiveClient(client: LiveClient): void {
  if (unfinished.size === 0) empty = Promise.withResolvers();
  unfinished.add(client);
}

export function finishClient(client: LiveClient): void {
  unfinished.delete(client);
  if (unfinished.size === 0) empty.resolve();
}

/** Resolves as soon as no client of this process is unfinished. */
export function noUnfinishedClients(): Promise<void> {
  return empty.promise;
}

function clientsOf(rtmsStreamId: string): LiveClient[] {
  return [...unfinished].filter((client) => client.rtmsStreamId === rtmsStreamId);
}
