export { createServer, request } from '../net/http.ts';

/** Connections are made by the world; there is nothing to pool. */
export class Agent {}
