import { autobahnPeer } from './autobahn/peer.ts';
import type { Peer } from './peer.ts';

/** Every peer, in the order in which they run. */
export const PEERS: readonly Peer[] = [autobahnPeer];
