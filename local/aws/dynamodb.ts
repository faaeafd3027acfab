import dynalite from 'dynalite';
import { closeServer, listen } from './listen.ts';
import { otherServers } from './other-servers.ts';

export interface LocalDynamoDb {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts dynalite on loopback, unless another emulator serves DynamoDB. */
export async function startDynamoDb(): Promise<LocalDynamoDb> {
  const { dynamodb } = otherServers();
  if (dynamodb !== undefined) return { port: dynamodb, close: () => Promise.resolve() };
  const server = dynalite({ createTableMs: 0 });
  return { port: await listen(server, 0), close: () => closeServer(server) };
}
