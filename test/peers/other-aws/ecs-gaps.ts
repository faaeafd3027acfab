import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  UpdateServiceCommand,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs';

const CLUSTER = 'local';
const SERVICE = 'runners';

/**
 * Makes the calls to ECS that runners and the catcher make, against an emulator.
 *
 * @returns what it does otherwise than AWS documents, in words
 */
export async function ecsGaps(endpoint: string): Promise<string[]> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new ECSClient({ region: 'us-east-1', endpoint, credentials });
  const gaps: string[] = [];
  try {
    await createService(client);
    await client.send(
      new UpdateServiceCommand({ cluster: CLUSTER, service: SERVICE, desiredCount: 1 }),
    );
    const described = new DescribeServicesCommand({ cluster: CLUSTER, services: [SERVICE] });
    const [service] = (await client.send(described)).services ?? [];
    const primary = service?.deployments?.find(({ status }) => status === 'PRIMARY');
    if (service?.desiredCount !== 1) gaps.push('UpdateService does not change desiredCount');
    if (!primary?.id?.startsWith('ecs-svc/'))
      gaps.push('no deployment PRIMARY with an id ecs-svc/…');
    const tasks = (await client.send(new ListTasksCommand({ cluster: CLUSTER }))).taskArns ?? [];
    if (tasks.length === 0) return [...gaps, 'a service never starts a task'];
    const told = await client.send(new DescribeTasksCommand({ cluster: CLUSTER, tasks }));
    if (told.tasks?.[0]?.startedBy !== primary?.id) {
      gaps.push('startedBy of a task is not the id of its deployment');
    }
    gaps.push(...(await protectionGaps(client, tasks)));
    return gaps;
  } finally {
    client.destroy();
  }
}

/** Without `awsvpc`: the subnet would have to be there. */
async function createService(client: ECSClient): Promise<void> {
  await client.send(new CreateClusterCommand({ clusterName: CLUSTER }));
  const containerDefinitions = [{ name: 'runner', image: 'registry.example.com/runner:1' }];
  await client.send(
    new RegisterTaskDefinitionCommand({
      family: SERVICE,
      memory: '512',
      containerDefinitions,
    }),
  );
  await client.send(
    new CreateServiceCommand({
      cluster: CLUSTER,
      serviceName: SERVICE,
      taskDefinition: SERVICE,
      desiredCount: 0,
    }),
  );
}

async function protectionGaps(client: ECSClient, tasks: string[]): Promise<string[]> {
  const protect = { cluster: CLUSTER, tasks, protectionEnabled: true };
  try {
    const { protectedTasks, failures } = await client.send(
      new UpdateTaskProtectionCommand(protect),
    );
    const isAnswered = (protectedTasks?.length ?? 0) + (failures?.length ?? 0) > 0;
    return isAnswered ? [] : ['UpdateTaskProtection names the task neither protected nor failed'];
  } catch (error) {
    return [`UpdateTaskProtection is refused: ${(error as Error).name}`];
  }
}
