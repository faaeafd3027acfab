import { DescribeLimitsCommand, DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { GetServiceQuotaCommand } from '@aws-sdk/client-service-quotas';
import type { Context } from '../command.ts';
import { ask } from '../deployment/aws.ts';
import { attempt, type Check, type Sizing } from './check.ts';
import { checkThroughput } from './throughput-check.ts';

/** @see https://docs.aws.amazon.com/servicequotas/latest/userguide/reference_quotas.html (codes read 2026-11-27) */
const QUOTAS = {
  fargateVcpu: { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' },
  lambdaConcurrency: { ServiceCode: 'lambda', QuotaCode: 'L-B99A9384' },
} as const;

/** Lambda refuses a reservation that leaves less than this unreserved. */
const LAMBDA_UNRESERVED = 100;
/** While it deploys, ECS runs the old and the new tasks side by side. */
const DEPLOYMENT_FACTOR = 2;

const RAISE =
  'Ask for more in Service Quotas of the AWS console, a day or two ahead (docs/deploy.md).';

/** Compares what the account and Zoom allow with what is planned. Works before the first deployment too. */
export async function checkQuotas(context: Context, sizing: Sizing): Promise<readonly Check[]> {
  const rights = 'These checks need servicequotas:GetServiceQuota and kinesis:DescribeLimits.';
  const checks = await Promise.all([
    attempt('quota: vCPU', rights, () => checkVcpu(context, sizing)),
    attempt('quota: Lambda', rights, () => checkLambda(context, sizing)),
    attempt('quota: shards', rights, () => checkShards(context, sizing)),
    checkThroughput(context, sizing),
  ]);
  return [...checks.flat(), checkZoom(sizing)];
}

async function checkVcpu(context: Context, { maxTasks, taskVcpu }: Sizing): Promise<Check> {
  const name = 'quota: vCPU';
  const quota = await quotaOf(context, QUOTAS.fargateVcpu);
  if (maxTasks === undefined) {
    return hint(name, `${quota} vCPU on Fargate`, 'Give --max-tasks (runner.maxTasks) to compare.');
  }
  const wanted = DEPLOYMENT_FACTOR * maxTasks * taskVcpu;
  const found = `${quota} vCPU on Fargate, a deployment at its largest needs ${wanted}`;
  return quota >= wanted ? ok(name, found) : failed(name, found, RAISE);
}

async function checkLambda(context: Context, { webhookConcurrency }: Sizing): Promise<Check> {
  const name = 'quota: Lambda';
  const quota = await quotaOf(context, QUOTAS.lambdaConcurrency);
  const wanted = webhookConcurrency + LAMBDA_UNRESERVED;
  const found = `${quota} concurrent executions, ${wanted} wanted with ${webhookConcurrency} reserved`;
  const fix = `New accounts have 10: leave webhook.reservedConcurrency unset until it is raised. ${RAISE}`;
  return quota >= wanted ? ok(name, found) : failed(name, found, fix);
}

async function checkShards(context: Context, { shards }: Sizing): Promise<Check> {
  const name = 'quota: shards';
  const limits = await ask('Kinesis limits', () =>
    context.aws.kinesis.send(new DescribeLimitsCommand({})),
  );
  const { ShardLimit = 0, OpenShardCount = 0 } = limits;
  const { OnDemandStreamCount = 0, OnDemandStreamCountLimit = 0 } = limits;
  const onDemand = `${OnDemandStreamCount} of ${OnDemandStreamCountLimit} on-demand streams`;
  const found = `${OpenShardCount} of ${ShardLimit} shards, ${onDemand}`;
  const free = ShardLimit - OpenShardCount + (await shardsOf(context));
  if (shards === undefined) {
    return hint(name, found, 'Give --shards (of both streams; provisioned only) to compare.');
  }
  return free >= shards
    ? ok(name, `${found}, ${shards} wanted`)
    : failed(name, `${found}, ${shards} wanted`, RAISE);
}

/** Counts the shards that this deployment has already: they are part of the number that it wants. */
async function shardsOf({ aws, deployment }: Context): Promise<number> {
  const names = [deployment.mediaStream, deployment.eventsStream];
  const counts = names.map(async (StreamName) => {
    if (StreamName === undefined) return 0;
    const answer = await aws.kinesis
      .send(new DescribeStreamSummaryCommand({ StreamName }))
      .catch(() => undefined);
    return answer?.StreamDescriptionSummary?.OpenShardCount ?? 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

/** Only the contract has Zoom's limit: Zoom reports it when it is near, and not before. */
function checkZoom({ meetings, zoomConcurrency }: Sizing): Check {
  const name = 'quota: Zoom';
  if (meetings === undefined || zoomConcurrency === undefined) {
    const fix = 'Give --meetings and --zoom-concurrency (from your contract with Zoom) to compare.';
    return hint(name, 'concurrent streams cannot be seen from here', fix);
  }
  const found = `${zoomConcurrency} concurrent streams, ${meetings} meetings wanted`;
  const fix =
    'Zoom refuses streams beyond its limit (rtms.concurrency_limited): ask Zoom for more.';
  return zoomConcurrency >= meetings ? ok(name, found) : failed(name, found, fix);
}

async function quotaOf(
  { aws }: Context,
  quota: { readonly ServiceCode: string; readonly QuotaCode: string },
): Promise<number> {
  const { Quota } = await ask(`quota ${quota.ServiceCode} ${quota.QuotaCode}`, () =>
    aws.serviceQuotas.send(new GetServiceQuotaCommand(quota)),
  );
  return Quota?.Value ?? 0;
}

const ok = (name: string, found: string): Check => ({ name, status: 'ok', found });
const hint = (name: string, found: string, fix: string): Check => ({
  name,
  status: 'hint',
  found,
  fix,
});
const failed = (name: string, found: string, fix: string): Check => ({
  name,
  status: 'failed',
  found,
  fix,
});
