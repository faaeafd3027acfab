import { devNull } from 'node:os';

/**
 * Variables by which a process finds its AWS account, endpoint, Lambda function or ECS task. Those of the developer
 * would break the local stack: a profile that is logged out, a metadata address that is not there.
 */
const CLOUD = /^(?:AWS_|_X_AMZN_|ECS_|LAMBDA_|POWERTOOLS_)/;

/** Hosts that no proxy can reach. */
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '::1'];

/**
 * Makes the environment of a process of the local stack: the developer's own without its AWS variables, and with
 * loopback exempt from their proxy.
 *
 * @param environment that of the shell in which `npm start` was called; it is not changed
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
    // Otherwise the AWS SDK reads the developer's own files, and looks for an EC2 instance.
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}

/** Gives this process the environment of the local stack, see `localEnvironment`. */
export function leaveTheCloud(): void {
  const local = localEnvironment(process.env);
  for (const name of Object.keys(process.env)) if (!(name in local)) delete process.env[name];
  Object.assign(process.env, local);
}
