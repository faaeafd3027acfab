import type { ConfigInput } from '../config.ts';

/** For real meetings: keeps its data, watches its own door, and warms up before the hour on weekdays. */
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
