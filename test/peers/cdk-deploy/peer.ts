import assert from 'node:assert/strict';
import { request } from 'node:http';
import { signWebhook } from '../../../shared/zoom/webhook-signature.ts';
import { type AwsProcess, awsPrograms, pythonVersion, startMinistack } from '../emulators.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { Account, type Assembly } from './account.ts';
import type { Template } from './template.ts';

const TOKEN = 'tokenOfTheDeployedWebhook';
const FIRST = { logRetentionDays: 7, zoom: { secretRefreshSeconds: 600 } };
const NEXT = { logRetentionDays: 14, zoom: { secretRefreshSeconds: 300 } };
/** Of its own: CDK uploads no template whose configuration it has uploaded before. */
const BROKEN = { logRetentionDays: 30, zoom: { secretRefreshSeconds: 900 } };

export const cdkDeployPeer: Peer = {
  name: 'cdk-deploy',
  needs: ['python'],
  install: awsPrograms,
  async run(work) {
    const emulator = await startMinistack();
    const account = new Account(emulator, work.scratch);
    const startedAt = performance.now();
    const bootstrapped = await account.cdk(['bootstrap', 'aws://000000000000/us-east-1']);
    assert.equal(bootstrapped.code, 0, told(bootstrapped));
    const first = await account.synthesize('first', FIRST);
    const created = await account.deploy(first);
    assert.equal(created.code, 0, told(created));
    const deployed = await describe(account);
    await expectUpdated(account, deployed, '600');
    work.say(`deployed ${first.resources} resources`);

    await fillSecret(account, deployed);
    await startStream(account, emulator, deployed, 'stream-of-first');

    const next = await account.synthesize('next', NEXT);
    const updated = await account.deploy(next);
    assert.equal(updated.code, 0, told(updated));
    await expectUpdated(account, deployed, '300');
    await startStream(account, emulator, deployed, 'stream-of-next');

    const broken = await account.synthesize('broken', BROKEN, addImpossible);
    const failed = await account.deploy(broken);
    assert.equal(failed.code, 1, told(failed));
    assert.equal(await account.status(), 'UPDATE_ROLLBACK_COMPLETE');
    await expectUpdated(account, deployed, '300');
    await startStream(account, emulator, deployed, 'stream-after-roll-back');

    const back = await account.deploy(first);
    assert.equal(back.code, 0, told(back));
    await expectUpdated(account, deployed, '600');
    assert.equal((await rows(account, deployed)).length, 3);

    const destroyed = await account.destroy(first);
    assert.equal(destroyed.code, 0, told(destroyed));
    assert.deepEqual(await leftBehind(account), []);
    await account.close();
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    return [...(await proofLines(emulator, first, seconds))];
  },
};

/** Adds what the emulator accepts in a template and then cannot create. */
function addImpossible(template: Template): void {
  const Metrics = [{ Id: 'one', Expression: '1', ReturnData: true }];
  template.Resources['Impossible'] = { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics } };
}

/** What the peer needs of a deployment. */
interface Deployed {
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly table: string;
  readonly queueUrl: string;
  readonly functionName: string;
}

async function describe(account: Account): Promise<Deployed> {
  const { WebhookUrl = '', WebhookSecretArn = '', RtmsJson = '{}' } = await account.outputs();
  const { table, queueUrl } = JSON.parse(RtmsJson) as { table: string; queueUrl: string };
  const names = (await account.aws(
    'lambda',
    'list-functions',
    '--query',
    'Functions[].FunctionName',
  )) as string[];
  const functionName = names.find((name) => name.includes('Webhook')) ?? '';
  return {
    webhookUrl: WebhookUrl,
    webhookSecret: WebhookSecretArn,
    table,
    queueUrl,
    functionName,
  };
}

async function refreshSecondsOf(account: Account, functionName: string): Promise<string> {
  const query = ['--query', 'Environment.Variables.SECRET_REFRESH_SECONDS'];
  const named = ['--function-name', functionName];
  return String(await account.aws('lambda', 'get-function-configuration', ...named, ...query));
}

async function fillSecret(account: Account, { webhookSecret }: Deployed): Promise<void> {
  const value = JSON.stringify({ apps: { default: { webhookSecretTokens: [TOKEN] } } });
  const secret = ['--secret-id', webhookSecret, '--secret-string', value];
  await account.aws('secretsmanager', 'put-secret-value', ...secret);
}

/** Posts a signed start to the deployed API, and finds its row and its message. */
async function startStream(
  account: Account,
  emulator: AwsProcess,
  deployed: Deployed,
  rtmsStreamId: string,
): Promise<void> {
  assert.equal(await post(deployed.webhookUrl, emulator.port, rtmsStreamId), 200);
  const found = (await rows(account, deployed)).find(
    ({ pk }) => pk?.S === `SESSION#${rtmsStreamId}`,
  );
  assert.equal(found?.['product']?.S, 'meeting');
  const queue = ['--queue-url', deployed.queueUrl, '--max-number-of-messages', '10'];
  const bodies = await account.aws(
    'sqs',
    'receive-message',
    ...queue,
    '--query',
    'Messages[].Body',
  );
  const jobs = ((bodies ?? []) as string[]).map((body) => JSON.parse(body).rtmsStreamId);
  assert.ok(jobs.includes(rtmsStreamId), `no job for ${rtmsStreamId} among ${jobs}`);
}

/** The API's host name resolves nowhere, so it goes into the header alone. @returns the status */
function post(webhookUrl: string, port: number, rtmsStreamId: string): Promise<number | undefined> {
  const { host, pathname } = new URL(webhookUrl);
  const body = JSON.stringify({
    event: 'meeting.rtms_started',
    event_ts: Date.now(),
    payload: {
      meeting_uuid: '/abc/+==',
      rtms_stream_id: rtmsStreamId,
      server_urls: 'wss://rtms.zoom.us:443',
    },
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    host,
    'content-type': 'application/json',
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(TOKEN, timestamp, Buffer.from(body)),
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path: pathname, method: 'POST', headers });
    sent.on('response', (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

type Item = Readonly<Record<string, { readonly S?: string }>>;

/** The rows of streams, without those of tasks. */
async function rows(account: Account, { table }: Deployed): Promise<readonly Item[]> {
  const items = (await account.aws(
    'dynamodb',
    'scan',
    '--table-name',
    table,
    '--query',
    'Items',
  )) as Item[];
  return items.filter(({ pk }) => pk?.S?.startsWith('SESSION#'));
}

/** The function is the new one, and the address, secret, table and queue are what they were. */
async function expectUpdated(account: Account, before: Deployed, refreshSeconds: string) {
  const { WebhookUrl, WebhookSecretArn, RtmsJson = '{}' } = await account.outputs();
  const { table, queueUrl } = JSON.parse(RtmsJson);
  assert.deepEqual([WebhookUrl, WebhookSecretArn], [before.webhookUrl, before.webhookSecret]);
  assert.deepEqual([table, queueUrl], [before.table, before.queueUrl]);
  assert.equal(await refreshSecondsOf(account, before.functionName), refreshSeconds);
}

/** Log groups are not looked at: an execution that still runs may write once more, and its group is made again. */
async function leftBehind(account: Account): Promise<unknown[]> {
  const lists = [
    ['dynamodb', 'list-tables', '--query', 'TableNames'],
    ['kinesis', 'list-streams', '--query', 'StreamNames'],
    ['sqs', 'list-queues', '--query', 'QueueUrls'],
    ['lambda', 'list-functions', '--query', 'Functions[].FunctionName'],
    ['secretsmanager', 'list-secrets', '--query', 'SecretList[].Name'],
    ['apigatewayv2', 'get-apis', '--query', 'Items[].ApiId'],
    ['ecs', 'list-clusters', '--query', 'clusterArns'],
    ['sns', 'list-topics', '--query', 'Topics[].TopicArn'],
  ];
  const left: unknown[] = [];
  for (const list of lists) left.push(...(((await account.aws(...list)) ?? []) as unknown[]));
  return left;
}

async function proofLines(
  { software, version }: AwsProcess,
  { resources, leftOut }: Assembly,
  seconds: number,
): Promise<ProofLine[]> {
  const cli = await pythonVersion('awscli');
  const unknown = [...leftOut].map(([type, count]) => `${type} ${count}`).join(', ');
  return [
    {
      software,
      version,
      what: '`cdk bootstrap`, deploy, an update, an update that fails and rolls back, back to the first template, and destroy; the table with its rows outlives each of them but the last',
      figures: `stage dev, ${resources} resources, ${seconds} s, nothing left behind`,
    },
    {
      software: `${software} with the AWS CLI ${cli}`,
      version,
      what: "signed webhooks through the deployed API and function, run by the emulator's Lambda; the CLI finds row and message",
      figures: '3 starts: after the deployment, the update and the roll-back',
    },
    {
      software,
      version,
      what: 'what it cannot deploy, and was left out of the template',
      figures: `${unknown} (alarms: those with metric math)`,
      isProven: false,
    },
  ];
}

const told = ({ stdout, stderr }: { stdout: string; stderr: string }) =>
  `${stdout}\n${stderr}`.slice(-3_000);
