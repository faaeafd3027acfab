import { ServiceError } from '../errors.ts';

/**
 * What is done about meetings that are live at Zoom and have never had a stream here: nothing, a line in the log and a
 * metric, or also a request for the stream.
 */
export const ZOOM_RECONCILE = ['off', 'report', 'start'] as const;
export type ZoomReconcile = (typeof ZOOM_RECONCILE)[number];

/** Reads the variable `ZOOM_RECONCILE`. @throws ServiceError `config/invalid` */
export function parseReconcile(text: string): ZoomReconcile {
  const mode = ZOOM_RECONCILE.find((name) => name === text);
  if (mode !== undefined) return mode;
  throw new ServiceError('config/invalid', `"${text}"; allowed is ${ZOOM_RECONCILE.join(', ')}`);
}
