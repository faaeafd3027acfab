import { autobahnPeer } from './autobahn/peer.ts';
import { cdkDeployPeer } from './cdk-deploy/peer.ts';
import { microburstPeer } from './microburst/peer.ts';
import type { Peer } from './peer.ts';

/** Every peer, in the order in which they run. */
export const PEERS: readonly Peer[] = [autobahnPeer, microburstPeer, cdkDeployPeer];
