import { RtmsClient } from '../../../rtms/client.ts';
import type { RtmsJoin } from '../../../rtms/connection/handshake-signer.ts';
import type { RtmsClientOptions } from '../../../rtms/connection/options.ts';
import { type Script, type ScriptedZoom, startScriptedZoom } from './scripted-zoom.ts';
import { EventLog, QUICK } from './simulated-client.ts';

const SOME_STREAM = {
  product: 'meeting',
  entityId: 'm',
  rtmsStreamId: 's',
  signature: 'x',
} as const;

/** Omits the addresses from both forms of a join: with credentials, and with a signature. */
type StreamToJoin<Join = RtmsJoin> = Join extends unknown ? Omit<Join, 'serverUrls'> : never;

export interface ScriptedClient extends AsyncDisposable {
  readonly zoom: ScriptedZoom;
  readonly client: RtmsClient;
  readonly log: EventLog;
}

/**
 * A client that joins a meeting of a scripted Zoom, at `<url>/signaling`.
 *
 * @param listen called before the join
 * @param stream which stream it joins; by default one that a script need not know
 */
export async function joinScripted(
  script: Script,
  options: Partial<RtmsClientOptions> = {},
  listen: (client: RtmsClient) => void = () => {},
  stream: StreamToJoin = SOME_STREAM,
): Promise<ScriptedClient> {
  const zoom = await startScriptedZoom(script);
  const client = new RtmsClient({ ...QUICK, ...options });
  const log = new EventLog(client);
  listen(client);
  client.join({ ...stream, serverUrls: [`${zoom.url}/signaling`] });
  return {
    zoom,
    client,
    log,
    async [Symbol.asyncDispose]() {
      await client.leave();
      await zoom[Symbol.asyncDispose]();
    },
  };
}
