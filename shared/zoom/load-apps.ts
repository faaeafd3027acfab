import { ServiceError } from '../errors.ts';
import type { ZoomApps } from './credentials.ts';

/**
 * Reads the apps of several secrets, one id after the other with commas: the deployer's, and that of the synthetic
 * meeting, which the deployment writes itself. Only the first is needed: trouble with the others costs their apps alone.
 *
 * @param read contents of one secret
 * @param onLeftOut told of each secret that is left out
 * @throws what `read` and `parse` throw for the first one
 */
export async function loadApps<App>(
  ids: string,
  read: (id: string) => Promise<string>,
  parse: (json: string) => ZoomApps<App>,
  onLeftOut: (error: unknown) => void,
): Promise<ZoomApps<App>> {
  const [own = '', ...others] = ids.split(',').map((id) => id.trim());
  const apps = new Map<string, App>();
  const added = others.map(async (id) => parse(await read(id)));
  for (const result of await Promise.allSettled(added)) {
    if (result.status === 'rejected') onLeftOut(result.reason);
    else for (const [name, app] of result.value.apps) apps.set(name, app);
  }
  const first = parse(await read(own));
  for (const name of apps.keys()) {
    if (first.apps.has(name))
      onLeftOut(new ServiceError('config/invalid', `two secrets hold the app "${name}"`));
  }
  return { ...first, apps: new Map([...apps, ...first.apps]) };
}
