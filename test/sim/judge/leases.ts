import { FENCE_AFTER_MS } from '../../../runner/ownership/tenure.ts';
import type { HistoryEvent, RowEvent } from '../history.ts';

const TASK = 'TASK#';
/** A clock that drifts by 200 parts in a million is 1.4 ms off in the time of a lease. */
const LEASE_MS = FENCE_AFTER_MS - 2;
/** The renewal that holds at a moment was sent no earlier than this, with its second try. */
const LOOK_BACK_MS = 2 * FENCE_AFTER_MS;

/** Is it a write of a process's own heartbeat? */
export function isHeartbeat(event: HistoryEvent): event is RowEvent {
  return event.kind === 'row' && event.op === 'write' && event.row.startsWith(TASK);
}

/**
 * Did a process lose its lease between two moments, by its heartbeats? It holds for seven seconds from when the newest renewal
 * left that was answered. Where the history has no renewal before `fromMs`, one counts as sent then: without heartbeats nothing
 * is excused.
 *
 * @param heartbeats of this process alone, in their order
 */
export function hasLapsed(heartbeats: readonly RowEvent[], fromMs: number, toMs: number): boolean {
  const sentAtMs = new Map<string, number>();
  const calls = new Map<number, number>();
  let renewedAtMs: number | undefined;
  for (const { phase, call, atMs, command } of heartbeats) {
    if (atMs > toMs) break;
    if (atMs < fromMs - LOOK_BACK_MS) continue;
    if (phase === 'invoked') {
      // The second try of a call brings the values of the first, and the lease counts from the first.
      const values = JSON.stringify(command?.values ?? call);
      const firstAtMs = sentAtMs.get(values) ?? atMs;
      sentAtMs.set(values, firstAtMs);
      calls.set(call, firstAtMs);
    }
    const ownAtMs = phase === 'answered' ? calls.get(call) : undefined;
    if (ownAtMs === undefined) continue;
    if (atMs > fromMs && atMs - (renewedAtMs ?? fromMs) >= LEASE_MS) return true;
    renewedAtMs = Math.max(renewedAtMs ?? ownAtMs, ownAtMs);
  }
  return toMs - (renewedAtMs ?? fromMs) >= LEASE_MS;
}
