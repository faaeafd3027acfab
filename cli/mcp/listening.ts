import * as v from 'valibot';
import type { Meetings } from './meetings.ts';
import { idOf } from './resources.ts';
import type { Watcher } from './watcher.ts';

/** More in one request than any client needs. */
const MOST_ADDRESSES = 16;

/** `subscriptions/listen` of protocol revision 2026-07-28. The SDK answers it; here it is only seen. */
const LISTEN = v.object({
  id: v.union([v.string(), v.number()]),
  method: v.literal('subscriptions/listen'),
  params: v.object({
    notifications: v.object({ resourceSubscriptions: v.array(v.string()) }),
  }),
});
const CANCELLED = v.object({
  method: v.literal('notifications/cancelled'),
  params: v.object({ requestId: v.union([v.string(), v.number()]) }),
});

/**
 * Watches the meetings that a client of the newest protocol listens to. There a subscription is one long request that the
 * SDK serves by itself; it does not say which addresses are in it, so the messages are looked at as they come in.
 */
export class Listening {
  readonly #meetings: Meetings;
  readonly #watcher: Watcher;
  readonly #ends = new Map<string | number, (() => void)[]>();

  constructor(meetings: Meetings, watcher: Watcher) {
    this.#meetings = meetings;
    this.#watcher = watcher;
  }

  /** Looks at a message of a client. @param tell sends `notifications/resources/updated` to it */
  async see(message: unknown, tell: (uri: string) => void): Promise<void> {
    const cancelled = v.safeParse(CANCELLED, message);
    if (cancelled.success) this.end(cancelled.output.params.requestId);
    const { success, output } = v.safeParse(LISTEN, message);
    if (!success) return;
    const ends: (() => void)[] = [];
    this.#ends.set(output.id, ends);
    for (const uri of output.params.notifications.resourceSubscriptions.slice(0, MOST_ADDRESSES)) {
      // An address out of scope, or of nothing, is never told of: as one in which nothing happens.
      const meeting = await this.#meetings.scope.meeting(idOf(uri) ?? '').catch(() => undefined);
      const isOpen = this.#ends.get(output.id) === ends;
      const end = meeting && isOpen ? this.#watcher.watch(meeting.id, () => tell(uri)) : undefined;
      if (end !== undefined) ends.push(end);
    }
  }

  end(request: string | number): void {
    for (const end of this.#ends.get(request) ?? []) end();
    this.#ends.delete(request);
  }

  close(): void {
    for (const request of [...this.#ends.keys()]) this.end(request);
  }
}
