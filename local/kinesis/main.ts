/**
 * Runs the local Kinesis in a process of its own, so that a test can kill and pause it:
 * `node local/kinesis/main.ts [--port 0] [--region us-east-1]`.
 *
 * Prints one JSON line, `{"url", "port", "pid"}`, when it serves. Ends on SIGTERM and SIGINT.
 */
import { parseArgs } from 'node:util';
import { ServiceError } from '../../shared/errors.ts';
import { startKinesisServer } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    region: { type: 'string', default: 'us-east-1' },
  },
});

try {
  const server = await startKinesisServer({ port: Number(values.port), region: values.region });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => void server.close());
  }
  const { url, port } = server;
  process.stdout.write(`${JSON.stringify({ url, port, pid: process.pid })}\n`);
} catch (error) {
  if (!(error instanceof ServiceError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
