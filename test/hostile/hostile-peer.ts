import { type Child, startChild } from '../../local/child.ts';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';

/** A hostile peer as a process of its own. */
export interface HostilePeer {
  readonly child: Child;
  /** For a webhook: where it takes signaling connections. */
  readonly serverUrls: string;
  /** Resolves when it has done its worst. */
  readonly done: Promise<void>;
}

/** @param args of peer-process.ts */
export async function startPeer(args: readonly string[]): Promise<HostilePeer> {
  const port = Promise.withResolvers<number>();
  const done = Promise.withResolvers<void>();
  const child = startChild('test/hostile/peer-process.ts', args, {}, (line, json) => {
    if (json?.['event'] === 'peer_ready') port.resolve(Number(json['port']));
    else if (json?.['event'] === 'peer_done') done.resolve();
    else if (json === undefined) process.stderr.write(`peer: ${line}\n`);
  });
  void child.exited.then(() => port.reject(new Error('the peer ended before it listened')));
  return {
    child,
    serverUrls: `ws://127.0.0.1:${await port.promise}/signaling`,
    done: done.promise,
  };
}

/** Ends an attacker. @returns what broke; one that ended by a defect of its own has not attacked at all */
export async function kill(child: Child): Promise<string[]> {
  child.process.kill('SIGKILL');
  const { code } = await child.exited;
  return code === null || code === 0 ? [] : [`could not be run: attacker ended with ${code}`];
}

/** Posts an event of a meeting as Zoom does. @returns the status */
export async function postWebhook(
  url: string,
  kind: 'started' | 'stopped',
  fields: object,
): Promise<number> {
  const payload = { meeting_uuid: 'hostile==', operator_id: 'o', ...fields };
  const body = JSON.stringify({ event: `meeting.rtms_${kind}`, event_ts: Date.now(), payload });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    'content-type': 'application/json',
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(EXAMPLE_APP.webhookSecretToken, timestamp, body),
  };
  return (await fetch(url, { method: 'POST', headers, body })).status;
}
