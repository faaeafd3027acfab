import { expect, test } from 'vitest';
import {
  holds,
  type Lease,
  leaseAt as leaseAtMs,
  NO_LEASE,
  renewed as renewedAtMs,
} from '../../shared/lease/lease.ts';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS } from './tenure.ts';

const leaseAt = (lease: Lease, nowMs: number) => leaseAtMs(lease, nowMs, FENCE_AFTER_MS);
const renewed = (lease: Lease, sentAtMs: number, nowMs: number) =>
  renewedAtMs(lease, sentAtMs, nowMs, FENCE_AFTER_MS);

test('a lease holds from the first renewal until the next one is late', () => {
  const lease = renewed(NO_LEASE, 100, 150);
  expect(leaseAt(lease, 100 + FENCE_AFTER_MS - 1)).toBe(lease);
  expect(holds(lease, lease.term)).toBe(true);
  const late = leaseAt(lease, 100 + FENCE_AFTER_MS);
  expect(holds(late, lease.term)).toBe(false);
});

test('a lease gives no right before the first renewal', () => {
  expect(holds(NO_LEASE, NO_LEASE.term)).toBe(false);
});

test('a lease voids what was claimed before a lapse, also when the heartbeat recovers', () => {
  const before = renewed(NO_LEASE, 0, 0);
  const after = renewed(before, FENCE_AFTER_MS + 1, FENCE_AFTER_MS + 1);
  expect(holds(after, before.term)).toBe(false);
  expect(holds(after, after.term)).toBe(true);
});

test('a lease keeps its term when it is renewed in time', () => {
  const before = renewed(NO_LEASE, 0, 0);
  expect(renewed(before, 3_000, 3_100).term).toBe(before.term);
});

test('a lease is not shortened by the answer to an older renewal', () => {
  const lease = renewed(renewed(NO_LEASE, 3_000, 3_100), 0, 3_200);
  expect(lease.renewedAtMs).toBe(3_000);
});

test('a renewal whose answer is late gives no right', () => {
  const lease = renewed(NO_LEASE, 0, FENCE_AFTER_MS);
  expect(lease.renewedAtMs).toBeUndefined();
});

test('a lease is over before others may claim', () => {
  expect(FENCE_AFTER_MS).toBeLessThan(EXPIRE_AFTER_MS);
});
