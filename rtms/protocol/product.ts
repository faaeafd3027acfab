/** Zoom's products that stream RTMS, by the names that records use. */
export const PRODUCTS = ['meeting', 'webinar', 'session', 'contact_center', 'phone'] as const;

export type Product = (typeof PRODUCTS)[number];

/** The field of webhooks and handshakes that has the product's own id. The id is part of what is signed. */
export const ENTITY_ID_FIELD = {
  meeting: 'meeting_uuid',
  webinar: 'webinar_uuid',
  session: 'session_id',
  contact_center: 'engagement_id',
  phone: 'call_id',
} as const satisfies Record<Product, string>;

export type EntityIdField = (typeof ENTITY_ID_FIELD)[Product];
