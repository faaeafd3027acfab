/** Zoom's products that stream RTMS, by the name the records use. */
export const PRODUCTS = ['meeting', 'webinar', 'session', 'contact_center', 'phone'] as const;

export type Product = (typeof PRODUCTS)[number];

/** The field that carries the product's own id in webhooks and in handshakes, and that signs them. */
export const ENTITY_ID_FIELD = {
  meeting: 'meeting_uuid',
  webinar: 'webinar_uuid',
  session: 'session_id',
  contact_center: 'engagement_id',
  phone: 'call_id',
} as const satisfies Record<Product, string>;

export type EntityIdField = (typeof ENTITY_ID_FIELD)[Product];
