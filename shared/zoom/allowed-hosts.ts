import { ServiceError } from '../errors.ts';

/** Domains of Zoom's signaling and media servers; a deployer may give others. */
export const DEFAULT_ALLOWED_HOSTS = 'zoom.us,zoom.com,zoomgov.com';

/**
 * Lower-case host names or addresses (`[::1]` in brackets); each stands for itself and its subdomains. `ws://<host>`
 * is that host alone, over plain WebSocket: the synthetic meeting inside the deployment's own network.
 */
export type AllowedHosts = readonly string[];

const PLAIN = /^ws:\/\//;
const LOOPBACK = /^(?:(?:.+\.)?localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * @param csv host names separated by commas, for example `zoom.us,zoomgov.com`
 * @throws ServiceError `config/invalid` when it names no host, or something that is not a bare host
 */
export function parseAllowedHosts(csv: string): AllowedHosts {
  const entries = csv
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .filter((entry) => entry !== '');
  if (entries.length === 0) {
    throw new ServiceError('config/invalid', 'the list of allowed hosts is empty');
  }
  for (const entry of entries) {
    if (hostOf(entry.replace(PLAIN, '')) !== entry.replace(PLAIN, '')) {
      throw new ServiceError('config/invalid', `allowed host "${entry}" is not a bare host name`, {
        detail: { entry },
      });
    }
  }
  return entries;
}

/**
 * Whether a server address may be signed for and connected to: `wss:`, no user info, and a host that is
 * an entry of the list or a subdomain of one; any port. Plain `ws:` passes only for a loopback host on
 * the list (the simulator) and for a host that the list names with `ws://`. The address is parsed as the WebSocket client
 * parses it, so that a host which passes here is the host that is connected to.
 */
export function isAllowedAddress(address: string, allowed: AllowedHosts): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  if (url.username !== '' || url.password !== '') return false;
  const host = url.hostname;
  if (url.protocol === 'ws:' && allowed.includes(`ws://${host}`)) return true;
  if (url.protocol !== 'wss:' && !(url.protocol === 'ws:' && LOOPBACK.test(host))) return false;
  return allowed.some((entry) => host === entry || host.endsWith(`.${entry}`));
}

function hostOf(entry: string): string | undefined {
  try {
    return new URL(`wss://${entry}`).host;
  } catch {
    return undefined;
  }
}
