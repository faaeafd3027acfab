import type { ConfigInput } from '../config.ts';

/**
 * For trying things out: about $45 a month when idle (docs/deploy.md), and gone without a trace when deleted.
 * One small task, one shard a stream, and only the alarms that mean that something is lost.
 */
export const DEV = {
  onDelete: 'destroy',
  logRetentionDays: 7,
  records: { capacity: { mode: 'provisioned', meetings: 1 } },
  runner: { cpu: 256, memoryMiB: 512, capacity: 7, minTasks: 1, maxTasks: 1, headroomSlots: 0 },
  monitoring: { alarms: 'essential', containerInsights: false },
} as const satisfies ConfigInput;
