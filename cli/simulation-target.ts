import { ServiceError } from '../shared/errors.ts';
import { isAllowedAddress, parseAllowedHosts } from '../shared/zoom/allowed-hosts.ts';
import { isLoopback } from './deployment/aws.ts';

const LOOPBACK_SIGNALING = 'ws://127.0.0.1';

/**
 * Made-up meetings must not get into what records real ones. A deployment that is meant for simulations
 * allow-lists the simulator's host, which Zoom's own never is; any other is refused before a byte is sent.
 *
 * @param publicSignalingUrl of a tunnel; undefined: the simulator's loopback address
 * @throws ServiceError `cli/refused`
 */
export function checkTarget(
  webhookUrl: string,
  publicSignalingUrl: string | undefined,
  allowedHosts: string,
): void {
  if (publicSignalingUrl === undefined && !isLoopback(webhookUrl)) {
    throw new ServiceError(
      'cli/refused',
      `${webhookUrl} is not on this machine and could not reach the simulator: give --public-signaling-url and --public-media-url`,
    );
  }
  const signalingUrl = publicSignalingUrl ?? LOOPBACK_SIGNALING;
  if (isAllowedAddress(signalingUrl, parseAllowedHosts(allowedHosts))) return;
  const host = URL.parse(signalingUrl)?.hostname ?? signalingUrl;
  throw new ServiceError(
    'cli/refused',
    `the deployment allows ${allowedHosts} only, not the simulator's ${host}; on one made for tests add it to its allowed hosts`,
  );
}
