import { devNull } from 'node:os';

/**
 * What tells a process on a developer's machine which AWS account, endpoint, Lambda function or ECS task it is: of no
 * use to the local stack, and enough to end it (a profile that is logged out, a metadata address that is not there).
 */
const CLOUD = /^(?:AWS_|_X_AMZN_|ECS_|LAMBDA_|POWERTOOLS_)/;

/** Addresses that a proxy never leads to. */
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '::1'];

/**
 * The environment of a process of the local stack: the developer's own, without any AWS account of theirs, and with
 * loopback beside whatever proxy they use.
 *
 * @param environment of the shell that `npm start` was called in; not changed
 */
export function localEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(environment).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !CLOUD.test(entry[0]),
  );
  const kinds = ['NO_PROXY', 'no_proxy'].map((name) => {
    const hosts = (environment[name] ?? '').split(',').map((host) => host.trim());
    const all = [...new Set([...hosts.filter((host) => host !== ''), ...LOOPBACK_HOSTS])];
    return [name, all.join(',')];
  });
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(kinds),
    // Else the SDK looks into the developer's own files, and for an instance that it might run on.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Makes this process one of the local stack, see `localEnvironment`. */
export function leaveTheCloud(): void {
  const local = localEnvironment(process.env);
  for (const name of Object.keys(process.env)) if (!(name in local)) delete process.env[name];
  Object.assign(process.env, local);
}
