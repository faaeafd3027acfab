import type { HistoryEvent, Problem } from '../history.ts';

/** A start whose webhook was answered a moment ago may not be in the index yet, which is up to five seconds behind. */
const WEBHOOK_MS = 5_000;
const STARTED = /rtms_started$/;
/** Zoom ends a stream that nobody connects to after 60 s: before that, a second request would meet the first. */
const ASK_AGAIN_AFTER_MS = 60_000;
const SESSION = 'SESSION#';
/** How a row says that nobody receives its stream any more, though Zoom has not ended it. */
const GIVEN_UP: ReadonlySet<unknown> = new Set(['lost', 'missed']);

interface Entity {
  /** Streams that run, and since when somebody may know of them, Unix ms: Zoom holds webhooks back for up to 20 s. */
  readonly running: Map<string, number>;
  /** When Zoom agreed to a request from which no stream has come yet, Unix ms. */
  agreedAtMs: number | undefined;
}

/** Was Zoom asked for a stream that it had started again, or agreed to start? */
export function judgeRestarts(history: readonly HistoryEvent[]): Problem[] {
  const entities = new Map<string, Entity>();
  /**
   * Streams that their owner has lost, or never came to receive, and that nobody has claimed since: it may ask before Zoom has seen the end
   * of them.
   */
  const lost = new Set<string>();
  const problems: Problem[] = [];
  const entityOf = (entityId: string) => {
    const entity = entities.get(entityId) ?? {
      running: new Map<string, number>(),
      agreedAtMs: undefined,
    };
    entities.set(entityId, entity);
    return entity;
  };
  for (const event of history) {
    if (event.kind === 'stream') {
      const entity = entityOf(event.entityId);
      if (event.what === 'stopped') entity.running.delete(event.rtmsStreamId);
      if (event.what === 'started') {
        entity.running.set(event.rtmsStreamId, Number.POSITIVE_INFINITY);
        entity.agreedAtMs = undefined;
      }
    }
    if (event.kind === 'webhook' && STARTED.test(event.event) && event.status === 200) {
      for (const { running } of entities.values()) {
        const sinceMs = running.get(event.rtmsStreamId);
        if (sinceMs === Number.POSITIVE_INFINITY) running.set(event.rtmsStreamId, event.atMs);
      }
    }
    if (event.kind === 'row' && event.phase === 'applied' && event.op === 'write') {
      const stream = event.row.slice(SESSION.length);
      if (GIVEN_UP.has(event.after?.['endedReason'])) lost.add(stream);
      else lost.delete(stream);
    }
    if (event.kind !== 'restart') continue;
    const { entityId, process, step, atMs, status } = event;
    const entity = entityOf(entityId);
    const tell = (why: string) => {
      const words = `${process} asked Zoom for another stream of ${entityId}, ${why}`;
      problems.push({ judge: 'restart', step, words });
    };
    const isKnown = ([stream, sinceMs]: [string, number]) =>
      stream !== event.rtmsStreamId && atMs - sinceMs > WEBHOOK_MS && !lost.has(stream);
    if ([...entity.running].some(isKnown)) tell('which has one');
    else if (entity.agreedAtMs !== undefined && atMs - entity.agreedAtMs < ASK_AGAIN_AFTER_MS) {
      tell(`to which Zoom had agreed ${atMs - entity.agreedAtMs} ms before`);
    }
    const hasAgreed = status >= 200 && status < 300;
    if (hasAgreed && entity.running.size === 0) entity.agreedAtMs = atMs;
  }
  return problems;
}
