import type { ConfigInput } from '../config.ts';
import { PROD } from './prod.ts';

/**
 * Production under AWS Control Tower's proactive controls, all of which it passes: nothing has a public
 * address, functions are in the VPC, routes have an authorizer, logs are kept for a year. Its price is NAT for
 * every byte of media.
 */
export const REGULATED = {
  ...PROD,
  logRetentionDays: 400,
  network: { kind: 'private', functions: true },
  webhook: { ...PROD.webhook, authorizer: true },
} as const satisfies ConfigInput;
