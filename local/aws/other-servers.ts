import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';

const VARIABLE = 'LOCAL_AWS_SERVERS';
const port = v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)));
const portsSchema = v.strictObject({
  dynamodb: port,
  sqs: port,
  kinesis: port,
  secretsManager: port,
  s3: port,
});

/** Ports of loopback on which another program serves an AWS service. */
type OtherServers = v.InferOutput<typeof portsSchema>;

/**
 * Which services of the local AWS another emulator serves, from the variable `LOCAL_AWS_SERVERS`, for example
 * `{"dynamodb": 4566, "sqs": 4566}`. What it does not name is served by this repository's own choice.
 *
 * @throws ServiceError `config/invalid`
 */
export function otherServers(environment: NodeJS.ProcessEnv = process.env): OtherServers {
  const text = environment[VARIABLE];
  if (text === undefined || text === '') return {};
  const result = v.safeParse(portsSchema, parseJson(text));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new ServiceError(
    'config/invalid',
    `${VARIABLE}: ${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`,
  );
}

/**
 * Makes a name of a resource. Another emulator outlives a test and serves several at once, so names on it are unique;
 * our own servers start empty, and the plain name is easier to read.
 */
export function resourceNames(servers: OtherServers): (name: string) => string {
  if (Object.keys(servers).length === 0) return (name) => name;
  const suffix = randomUUID().slice(0, 8);
  return (name) => `${name}-${suffix}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
