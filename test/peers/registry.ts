import { archiveS3Peer } from './archive-s3/peer.ts';
import { autobahnPeer } from './autobahn/peer.ts';
import { awsCliPeer } from './aws-cli/peer.ts';
import { cdkDeployPeer } from './cdk-deploy/peer.ts';
import { eventBusPeer } from './event-bus/peer.ts';
import { firehosePeer } from './firehose/peer.ts';
import { flinkPeer } from './flink/peer.ts';
import { goPeer } from './go/peer.ts';
import { kclPeer } from './kcl/peer.ts';
import { kplPeer } from './kpl/peer.ts';
import { microburstPeer } from './microburst/peer.ts';
import { otherAwsPeer, otherAwsSessionsPeer } from './other-aws/peer.ts';
import type { Peer } from './peer.ts';
import { pythonPeer } from './python/peer.ts';
import { pythonPackagePeer } from './python-package/peer.ts';
import { sdkForJavaPeer } from './sdk-for-java/peer.ts';
import { validatorsPeer } from './validators/peer.ts';
import { zoomMockPeer } from './zoom-mock/peer.ts';
import { zoomSdkPeer } from './zoom-sdk/peer.ts';

/** Every peer, in the order in which they run. */
export const PEERS: readonly Peer[] = [
  zoomSdkPeer,
  zoomMockPeer,
  pythonPeer,
  pythonPackagePeer,
  firehosePeer,
  goPeer,
  awsCliPeer,
  autobahnPeer,
  validatorsPeer,
  otherAwsPeer,
  archiveS3Peer,
  microburstPeer,
  cdkDeployPeer,
  sdkForJavaPeer,
  kclPeer,
  kplPeer,
  eventBusPeer,
  flinkPeer,
  // Last, because its tests measure time: nothing is being installed any more.
  otherAwsSessionsPeer,
];
