import { Aws, Duration, RemovalPolicy, Size, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnDatabase, CfnTable } from 'aws-cdk-lib/aws-glue';
import { type IStream, Stream } from 'aws-cdk-lib/aws-kinesis';
import {
  DeliveryStream,
  InputFormat,
  KinesisStreamSource,
  LambdaFunctionProcessor,
  OutputFormat,
  S3Bucket,
  SchemaConfiguration,
} from 'aws-cdk-lib/aws-kinesisfirehose';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { OutputFormat as ModuleFormat, NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { COLUMNS } from './columns.ts';

export interface TranscriptTableProps extends StackProps {
  /** ARN of the `events` stream: the output `EventsStreamArn` of the deployment. */
  readonly eventsStreamArn: string;
  /** @default rtms */
  readonly database?: string;
  /** @default transcript_lines */
  readonly table?: string;
}

const ROWS = 'transcript-lines';

/** Transcripts and chat of all meetings as a table: Firehose writes Parquet to S3, Athena and Spark read it through Glue. */
export class TranscriptTable extends Stack {
  constructor(scope: Construct, id: string, props: TranscriptTableProps) {
    super(scope, id, props);
    const { database = 'rtms', table: tableName = 'transcript_lines' } = props;
    const events = Stream.fromStreamArn(this, 'Events', props.eventsStreamArn);
    const bucket = new Bucket(this, 'Rows', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      // A revocation asks for deletion: a bucket that kept versions would keep what was deleted.
      versioned: false,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const glueDatabase = new CfnDatabase(this, 'Database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: { name: database },
    });
    const table = new CfnTable(this, 'Table', {
      catalogId: Aws.ACCOUNT_ID,
      databaseName: database,
      tableInput: tableInput(tableName, `s3://${bucket.bucketName}/${ROWS}/`),
    });
    table.addDependency(glueDatabase);
    deliver(this, { events, bucket: bucket as IBucket, table });
  }
}

function tableInput(name: string, location: string): CfnTable.TableInputProperty {
  return {
    name,
    tableType: 'EXTERNAL_TABLE',
    partitionKeys: [{ name: 'day', type: 'string' }],
    // Days are partitions by projection: no crawler, no MSCK REPAIR.
    parameters: {
      classification: 'parquet',
      'projection.enabled': 'true',
      'projection.day.type': 'date',
      'projection.day.format': 'yyyy-MM-dd',
      'projection.day.range': '2026-01-01,NOW',
      'storage.location.template': `${location}day=\${day}/`,
    },
    storageDescriptor: {
      columns: Object.entries(COLUMNS).map(([column, type]) => ({ name: column, type })),
      location,
      inputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      outputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      serdeInfo: {
        serializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
      },
    },
  };
}

function deliver(
  scope: Construct,
  { events, bucket, table }: { events: IStream; bucket: IBucket; table: CfnTable },
): void {
  const transform = new NodejsFunction(scope, 'Transform', {
    entry: new URL('transform.ts', import.meta.url).pathname,
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: 512,
    timeout: Duration.minutes(1),
    bundling: { format: ModuleFormat.ESM, mainFields: ['module', 'main'], minify: true },
    logGroup: new LogGroup(scope, 'TransformLog', { retention: RetentionDays.ONE_MONTH }),
  });
  new DeliveryStream(scope, 'Delivery', {
    source: new KinesisStreamSource(events),
    destination: new S3Bucket(bucket, {
      dataOutputPrefix: `${ROWS}/day=!{timestamp:yyyy-MM-dd}/`,
      errorOutputPrefix: 'failed/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
      // The least that Firehose allows with Parquet, and the longest it may wait: rows are visible after 5 minutes.
      bufferingSize: Size.mebibytes(64),
      bufferingInterval: Duration.minutes(5),
      // Rows are longer than events are, and an answer of the function may have 6 MB.
      processors: [
        new LambdaFunctionProcessor(transform, {
          bufferSize: Size.mebibytes(1),
          bufferInterval: Duration.minutes(1),
        }),
      ],
      dataFormatConversion: {
        schemaConfiguration: SchemaConfiguration.fromCfnTable(table),
        inputFormat: InputFormat.OPENX_JSON,
        outputFormat: OutputFormat.PARQUET,
      },
    }),
  });
}
