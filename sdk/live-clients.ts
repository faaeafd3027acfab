/** What the rest of the SDK needs to know of a client that has joined. */
export interface LiveClient {
  /** Leaves and waits until its last callback has finished. */
  finish(): Promise<void>;
  /** A second started webhook: joins again where its addresses are new. */
  failOver(serverUrls: readonly string[]): void;
  /** Zoom lost sight of the client at `eventTsMs`, Unix ms: joins again unless it has done so since. */
  interrupted(eventTsMs: number): void;
}

const byStream = new Map<string, LiveClient>();
const unfinished = new Set<LiveClient>();
let empty = Promise.withResolvers<void>();
empty.resolve();

/** The client of this process that is on an RTMS stream: Zoom allows one. */
export function liveClient(rtmsStreamId: string): LiveClient | undefined {
  return byStream.get(rtmsStreamId);
}

/** Clients from their join to the end of their last callback. */
export function unfinishedClients(): LiveClient[] {
  return [...unfinished];
}

export function addLiveClient(rtmsStreamId: string, client: LiveClient): void {
  if (unfinished.size === 0) empty = Promise.withResolvers();
  unfinished.add(client);
  byStream.set(rtmsStreamId, client);
}

/** The client is off its stream; its callbacks may still be at work. */
export function freeStream(rtmsStreamId: string): void {
  byStream.delete(rtmsStreamId);
}

export function finishClient(client: LiveClient): void {
  unfinished.delete(client);
  if (unfinished.size === 0) empty.resolve();
}

/** Settles as soon as no client of this process is unfinished. */
export function noUnfinishedClients(): Promise<void> {
  return empty.promise;
}
