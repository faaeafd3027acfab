import type { ConfigInput } from '../config.ts';

/** For trying things out: cheap when idle, and gone without a trace when deleted. */
export const DEV = {
  onDelete: 'destroy',
  logRetentionDays: 7,
  webhook: { requestsPerSecond: 10, burst: 20, reservedConcurrency: 5 },
  runner: { maxTasks: 4, headroomSlots: 0 },
} as const satisfies ConfigInput;
