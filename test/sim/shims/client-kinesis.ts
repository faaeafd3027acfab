import { KinesisServiceException } from '@aws-sdk/client-kinesis';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';
import { running } from '../world/machine.ts';

export * from '@aws-sdk/client-kinesis';

const HOST = 'kinesis.us-east-1.amazonaws.com';
/** What the runner's own writer reads of a request that the SDK has prepared. */
const SIGNED = {
  protocol: 'https:',
  hostname: HOST,
  path: '/',
  headers: {
    host: HOST,
    authorization: 'AWS4-HMAC-SHA256 Credential=simulated/20261127/us-east-1/kinesis/aws4_request',
  },
};
const CREDENTIALS = { accessKeyId: 'simulated', secretAccessKey: 'simulated' };

export class KinesisClient extends LeanClient {
  /** With what the runner's own writer takes from it. */
  override readonly config: LeanOptions & {
    systemClockOffset: number;
    credentials(): Promise<typeof CREDENTIALS>;
  };
  protected override readonly signed = SIGNED;

  constructor(options: LeanOptions = {}) {
    super(options, 'Kinesis_20131202', KinesisServiceException);
    const credentials = async () => {
      const waits = running()?.onSigning?.('PutRecordsCommand');
      if (waits !== undefined) await waits;
      return CREDENTIALS;
    };
    this.config = { ...options, systemClockOffset: 0, credentials };
  }
}
