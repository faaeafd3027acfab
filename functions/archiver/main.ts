import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { readsInCbor } from '../../sdk/consumer/reading/cbor-reads.ts';
import { httpHandlerOptions } from '../../shared/aws-calls.ts';
import { createFunctionLogger, createFunctionMetrics } from '../zoom-webhook/telemetry.ts';
import { startArchiver } from './archiver.ts';
import { readArchiverConfig } from './config.ts';

/**
 * The archiver as a process: a task on Fargate, of which there may be several. SIGTERM writes what is gathered and gives the
 * shards away; what takes longer than that is read again by the next worker.
 */
const SERVICE = 'archiver';
/** A last answer for an object of some ten MB; then the call fails and is tried again. */
const S3_TIMEOUTS = { connectMs: 5_000, answerMs: 30_000 };

let logger = createFunctionLogger('INFO', SERVICE);
try {
  const config = readArchiverConfig(process.env);
  logger = createFunctionLogger(config.logLevel, SERVICE);
  const isLocal = process.env['AWS_ENDPOINT_URL_S3'] !== undefined;
  const clients = {
    kinesis: readsInCbor(new KinesisClient({ requestHandler: new NodeHttpHandler() })),
    s3: new S3Client({
      requestHandler: new NodeHttpHandler(httpHandlerOptions(S3_TIMEOUTS)),
      // A host name for each bucket resolves on few machines.
      ...(isLocal && { forcePathStyle: true }),
    }),
    eventBridge: new EventBridgeClient(),
  };
  const metrics = createFunctionMetrics(config.deployment, SERVICE);
  const workerId = `${hostname()}-${randomUUID().slice(0, 8)}`;
  const archiver = await startArchiver(config, clients, workerId, logger, metrics);
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void archiver.stop().catch(() => undefined));
  logger.info('the archiver reads', { event: 'archiver_ready', workerId });
  await archiver.done;
  process.exit(0);
} catch (error) {
  logger.error('the archiver ends', { event: 'archiver_failed', error });
  process.exit(1);
}
