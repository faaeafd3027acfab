import { autobahnPeer } from './autobahn/peer.ts';
import { cdkDeployPeer } from './cdk-deploy/peer.ts';
import { microburstPeer } from './microburst/peer.ts';
import type { Peer } from './peer.ts';
import { zoomSdkPeer } from './zoom-sdk/peer.ts';

/** Every peer, in the order in which they run. */
export const PEERS: readonly Peer[] = [zoomSdkPeer, autobahnPeer, microburstPeer, cdkDeployPeer];
