import type { ConfigInput } from './schema.ts';

/**
 * To try things out: about $28 a month when idle (docs/deploy.md), and nothing is left when it is deleted. No task until
 * a meeting comes, one shard a stream, and only the alarms for what is lost.
 */
export const DEV = {
  onDelete: 'destroy',
  logRetentionDays: 7,
  records: { capacity: { mode: 'provisioned', meetings: 1 } },
  runner: {
    cpu: 256,
    memoryMiB: 512,
    capacity: 7,
    minTasks: 0,
    maxTasks: 1,
    headroomSlots: 0,
    catcher: {},
  },
  monitoring: { alarms: 'essential', containerInsights: false },
} as const satisfies ConfigInput;

/** For real meetings: keeps its data, watches its own webhook, and starts tasks before the office day begins. */
export const PROD = {
  onDelete: 'retain',
  terminationProtection: true,
  encryption: 'customer-managed',
  logRetentionDays: 90,
  // Raise the account's concurrency first: docs/deploy.md, "Quotas to raise".
  webhook: { canary: true, reservedConcurrency: 200 },
  monitoring: { syntheticMeeting: true },
  records: { capacity: { mode: 'provisioned', meetings: 100 }, retentionHours: 48 },
  runner: {
    catcher: {},
    headroomSlots: 50,
    maxTasks: 50,
    prewarm: [
      {
        name: 'BusinessHours',
        minute: '45',
        hour: '7',
        weekDay: 'MON-FRI',
        timeZone: 'America/New_York',
        minTasks: 4,
      },
      {
        name: 'Evening',
        minute: '0',
        hour: '19',
        weekDay: 'MON-FRI',
        timeZone: 'America/New_York',
        minTasks: 2,
      },
    ],
  },
} as const satisfies ConfigInput;

/**
 * Production that passes all of AWS Control Tower's proactive controls: nothing has a public address, functions are in
 * the VPC, routes have an authorizer, logs are kept for 400 days. It pays NAT for every byte of media.
 */
export const REGULATED = {
  ...PROD,
  logRetentionDays: 400,
  network: { kind: 'private', functions: true },
  webhook: { ...PROD.webhook, authorizer: true },
} as const satisfies ConfigInput;

/** By the name that `-c stage=…` takes: the only place where stages differ. */
export const STAGES: Readonly<Record<string, ConfigInput>> = {
  dev: DEV,
  prod: PROD,
  regulated: REGULATED,
};
