/** A number from 0 up to 1, the same sequence for the same seed. */
export type Random = () => number;

/** One event of one stream, before it becomes a body. */
export interface StreamEvent {
  readonly kind: 'started' | 'stopped' | 'interrupted';
  readonly eventTsMs: number;
  readonly serverUrl: string;
}

export interface Delivery {
  readonly body: object;
  /** Signed by someone who does not know the token. */
  readonly forged: boolean;
}

export interface StormPlan {
  /** What Zoom sends, in this order. */
  readonly deliveries: readonly Delivery[];
  /** What happened to each stream, by its id; forgeries are no part of it. */
  readonly streams: ReadonlyMap<string, readonly StreamEvent[]>;
}

const PRODUCTS = [
  { prefix: 'meeting.', id: 'meeting_uuid' },
  { prefix: 'webinar.', id: 'webinar_uuid' },
  { prefix: 'session.', id: 'session_id' },
  { prefix: 'contact_center.voice_', id: 'engagement_id' },
  { prefix: 'phone.', id: 'call_id' },
] as const;

/** What may happen to a stream, in the order of time. */
const LIVES: readonly (readonly StreamEvent['kind'][])[] = [
  ['started'],
  ['started', 'stopped'],
  ['started', 'interrupted', 'stopped'],
  ['started', 'started', 'interrupted'],
  ['started', 'stopped', 'started'],
  ['started', 'interrupted', 'started', 'stopped'],
];

/** How far an event may overtake another on its way. */
const REORDER_WITHIN = 40;

/** Plans `count` deliveries or a few more: a tenth repeated, a twentieth forged, all out of order. */
export function planStorm(count: number, random: Random): StormPlan {
  const pick = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  const streams = new Map<string, StreamEvent[]>();
  const deliveries: Delivery[] = [];
  while (deliveries.length < count) {
    const rtmsStreamId = `storm-${streams.size}`;
    const product = pick(PRODUCTS);
    const events: StreamEvent[] = [];
    let eventTsMs = 1_700_000_000_000;
    for (const kind of pick(LIVES)) {
      eventTsMs += 1 + Math.floor(random() * 1_000);
      const event = { kind, eventTsMs, serverUrl: `wss://rtms-${eventTsMs}.zoom.us:443` };
      const body = toBody(event, rtmsStreamId, product);
      events.push(event);
      deliveries.push({ body, forged: false });
      if (random() < 0.1) deliveries.push({ body, forged: false });
      if (random() < 0.05) deliveries.push({ body: toForgery(body), forged: true });
    }
    streams.set(rtmsStreamId, events);
  }
  const order = deliveries.map((delivery, index) => ({
    delivery,
    at: index + random() * REORDER_WITHIN,
  }));
  order.sort((one, other) => one.at - other.at);
  return { deliveries: order.map(({ delivery }) => delivery), streams };
}

/** The registers a row must end with: of each kind the newest event. */
export function expectedRow(events: readonly StreamEvent[]) {
  const newest = (kind: StreamEvent['kind']) => events.findLast((event) => event.kind === kind);
  const start = newest('started');
  return {
    start: start?.eventTsMs,
    serverUrls: start && [start.serverUrl],
    stop: newest('stopped')?.eventTsMs,
    interrupt: newest('interrupted')?.eventTsMs,
  };
}

function toBody(
  { kind, eventTsMs, serverUrl }: StreamEvent,
  rtmsStreamId: string,
  { prefix, id }: (typeof PRODUCTS)[number],
) {
  return {
    event: `${prefix}rtms_${kind}`,
    event_ts: eventTsMs,
    payload: {
      [id]: `/${rtmsStreamId}==`,
      rtms_stream_id: rtmsStreamId,
      ...(kind === 'started' ? { server_urls: serverUrl, account_id: 'AAAAAABBBB' } : {}),
      ...(kind === 'stopped' ? { stop_reason: 6 } : {}),
    },
  };
}

/** A forgery tries to end or divert the stream for good. */
function toForgery(body: ReturnType<typeof toBody>): object {
  return { ...body, event_ts: body.event_ts + 1_000_000 };
}
