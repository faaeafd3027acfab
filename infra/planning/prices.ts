/** The month that AWS calculates with. */
export const HOURS_PER_MONTH = 730;

/**
 * List prices of us-east-1, US dollars; another Region overrides them in its configuration.
 *
 * Read on AWS's pages in 2026: Fargate, public address, NAT, endpoint, Kinesis, HTTP API, metrics, logs. Not checked on a
 * page, so check them before relying on the cents: Kinesis retention and On-Demand Advantage, DynamoDB, SQS, Lambda,
 * alarms, composite alarms, dashboards, secrets, keys, private DNS zones, S3, EventBridge.
 */
export const US_EAST_1_PRICES = {
  fargateVcpuHour: 0.03238,
  fargateGbHour: 0.00356,
  publicIpv4Hour: 0.005,
  natGatewayHour: 0.045,
  natGb: 0.045,
  endpointHour: 0.01,
  endpointGb: 0.01,
  kinesisShardHour: 0.015,
  kinesisMillionPutUnits: 0.014,
  kinesisExtendedRetentionShardHour: 0.02,
  kinesisExtendedRetentionGbMonth: 0.1,
  kinesisLongRetentionGbMonth: 0.023,
  kinesisOnDemandStreamHour: 0.04,
  kinesisOnDemandGbIn: 0.08,
  kinesisOnDemandGbOut: 0.04,
  kinesisAdvantageGbIn: 0.032,
  kinesisAdvantageGbOut: 0.016,
  dynamoDbMillionWrites: 0.625,
  dynamoDbMillionReads: 0.125,
  sqsMillionRequests: 0.4,
  httpApiMillionRequests: 1,
  lambdaMillionRequests: 0.2,
  lambdaGbSecond: 0.0000133334,
  logsGb: 0.5,
  metricMonth: 0.3,
  alarmMonth: 0.1,
  compositeAlarmMonth: 0.5,
  dashboardMonth: 3,
  secretMonth: 0.4,
  keyMonth: 1,
  privateZoneMonth: 0.5,
  s3MillionWrites: 5,
  s3MillionReads: 0.4,
  s3GbMonth: 0.023,
  eventBridgeMillionEvents: 1,
} as const satisfies Readonly<Record<string, number>>;
