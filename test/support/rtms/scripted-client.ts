import { RtmsClient } from '../../../rtms/client.ts';
import type { RtmsClientOptions } from '../../../rtms/connection/options.ts';
import { type Script, type ScriptedZoom, startScriptedZoom } from './scripted-zoom.ts';
import { EventLog, QUICK } from './simulated-client.ts';

export interface ScriptedClient extends AsyncDisposable {
  readonly zoom: ScriptedZoom;
  readonly client: RtmsClient;
  readonly log: EventLog;
}

/** A client that joins a meeting of a scripted Zoom. @param listen called before the join */
export async function joinScripted(
  script: Script,
  options: Partial<RtmsClientOptions>,
  listen: (client: RtmsClient) => void,
): Promise<ScriptedClient> {
  const zoom = await startScriptedZoom(script);
  const client = new RtmsClient({ ...QUICK, ...options });
  const log = new EventLog(client);
  listen(client);
  client.join({
    product: 'meeting',
    entityId: 'm',
    rtmsStreamId: 's',
    signature: 'x',
    serverUrls: [`${zoom.url}/signaling`],
  });
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
