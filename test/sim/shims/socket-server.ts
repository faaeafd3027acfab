export { listenForSockets } from '../net/socket-listener.ts';
