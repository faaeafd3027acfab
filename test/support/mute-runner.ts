import { RtmsClient } from '../../rtms/client.ts';
import { RUNNER_TIMES, runProcess } from '../../runner/runner-process.ts';

/** A release that claims and never connects (`BROKEN=mute`), or ends itself some seconds after its start (`crash`). */
const times = JSON.parse(process.env['RUNNER_TIMES'] ?? '{}') as object;
if (process.env['BROKEN'] === 'mute') RtmsClient.prototype.join = () => {};
if (process.env['BROKEN'] === 'crash') {
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(process.env['CRASH_AFTER_MS']));
}
await runProcess(process.env, { ...RUNNER_TIMES, ...times });
