import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { Origin } from './kept-connection.ts';
import { canonicalPath } from './signature.ts';

/** What a call to Kinesis needs to know of the service, as the SDK finds it. */
export interface ServiceTarget {
  readonly origin: Origin;
  /** Header `host`. */
  readonly host: string;
  readonly path: string;
  /** `path` as the signature has it. */
  readonly signedPath: string;
  /** Of the signature. */
  readonly region: string;
  readonly service: string;
}

/** A request as the SDK hands it to its own connections. */
interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Ends the SDK's call where its request is ready to leave. */
class Prepared extends Error {
  readonly request: SdkRequest;

  constructor(request: SdkRequest) {
    super('prepared, and not sent');
    this.request = request;
  }
}

/**
 * Asks the SDK where it would send a PutRecords call, and for which region it would sign it: it lets the SDK prepare a call
 * and stops it before the connection. So endpoints, regions and the variables and files that set them stay the SDK's.
 *
 * @throws Error of the SDK, when it finds no region, endpoint or credentials
 */
export async function askForTarget(sdk: KinesisClient): Promise<ServiceTarget> {
  const command = new PutRecordsCommand({ StreamName: 'any', Records: [] });
  command.middlewareStack.add(
    () => async (args) => {
      throw new Prepared((args as unknown as { request: SdkRequest }).request);
    },
    { step: 'deserialize', name: 'prepared', priority: 'low' },
  );
  const outcome: unknown = await sdk.send(command).catch((error: unknown) => error);
  if (!(outcome instanceof Prepared)) throw outcome;
  return targetOf(outcome.request);
}

function targetOf({ protocol, hostname, port, path, headers }: SdkRequest): ServiceTarget {
  const isTls = protocol !== 'http:';
  const scope = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\/aws4_request/.exec(
    headers['authorization'] ?? '',
  );
  const [, region, service] = scope ?? [];
  if (region === undefined || service === undefined) {
    throw new Error('the SDK does not sign its calls with Signature Version 4');
  }
  return {
    origin: {
      isTls,
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port ?? (isTls ? 443 : 80),
    },
    host: headers['host'] ?? hostname,
    path,
    signedPath: canonicalPath(path),
    region,
    service,
  };
}
