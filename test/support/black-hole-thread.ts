/** The thread of `black-hole.ts`: listens, sleeps until it is woken, and then answers every PutRecords call. */
import { parentPort, workerData } from 'node:worker_threads';
import { ScriptedHttp } from './scripted-http.ts';

const { isOpen, backlog } = workerData as { isOpen: Int32Array; backlog: number };
const server = await ScriptedHttp.start(undefined, backlog);
server.onConnection = () => parentPort?.postMessage('taken');
parentPort?.postMessage(server.port);
Atomics.wait(isOpen, 0, 0);
