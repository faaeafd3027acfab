import { Agent } from 'node:http';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler';

/** The real SDK client on a local endpoint; one attempt per call, so that every error shows. */
export function connect(
  endpoint: string,
  protocol: 'HTTP/1.1' | 'h2c' = 'HTTP/1.1',
): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler:
      protocol === 'h2c'
        ? new NodeHttp2Handler({ disableConcurrentStreams: false })
        : new NodeHttpHandler({ httpAgent: new Agent({ keepAlive: true }) }),
  });
}
