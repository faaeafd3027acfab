/** The thread of `http-thread.ts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { type HttpThreadData, STATE } from './http-thread.ts';
import { allWritten, answer, ScriptedHttp } from './scripted-http.ts';

const { state, tls, backlog } = workerData as HttpThreadData;
const server = await ScriptedHttp.start(tls, backlog);
server.onConnection = () => {
  Atomics.add(state, STATE.CONNECTIONS, 1);
  parentPort?.postMessage('taken');
};
server.script = (socket, request) => {
  answer(socket, request, 200, allWritten(request), {}, () => {
    Atomics.add(state, STATE.ANSWERS, 1);
    Atomics.notify(state, STATE.ANSWERS);
  });
};
parentPort?.postMessage(server.port);
Atomics.wait(state, STATE.AWAKE, 0);
