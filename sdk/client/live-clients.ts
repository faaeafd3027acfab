/** What the rest of the SDK needs to know of a client that has joined. */
export interface LiveClient {
  readonly rtmsStreamId: string;
  /** Told to leave, or ended already: it is no longer who serves the stream. */
  readonly isLeaving: boolean;
  /** Leaves and waits until its last callback has finished. */
  finish(): Promise<void>;
  /** Another client waits for the stream. @returns when its sockets are closed and `onLeave` was called */
  giveWay(): Promise<void>;
  /** A second started webhook: joins again where its addresses are new. */
  failOver(serverUrls: readonly string[]): void;
  /** Zoom lost sight of the client at `eventTsMs`, Unix ms: joins again unless it has done so since. */
  interrupted(eventTsMs: number): void;
}

const unfinished = new Set<LiveClient>();
let empty = Promise.withResolvers<void>();
empty.resolve();

/** The client of this process that is on an RTMS stream: Zoom allows one. One that leaves does not count. */
export function liveClient(rtmsStreamId: string): LiveClient | undefined {
  return clientsOf(rtmsStreamId).find((client) => !client.isLeaving);
}

/** Settles when nobody of this process is on the stream any more; undefined when nobody is. */
export function streamFree(rtmsStreamId: string): Promise<unknown> | undefined {
  const clients = clientsOf(rtmsStreamId);
  return clients.length === 0 ? undefined : Promise.all(clients.map((client) => client.giveWay()));
}

/** Clients from their join to the end of their last callback. */
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

/** Settles as soon as no client of this process is unfinished. */
export function noUnfinishedClients(): Promise<void> {
  return empty.promise;
}

function clientsOf(rtmsStreamId: string): LiveClient[] {
  return [...unfinished].filter((client) => client.rtmsStreamId === rtmsStreamId);
}
