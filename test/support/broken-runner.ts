import { RUNNER_TIMES, runProcess } from '../../runner/runner-process.ts';
import { SessionWriter } from '../../runner/session/recording/session-writer.ts';

/**
 * A runner with a defect that some meetings meet: their chat breaks a listener, and `BROKEN=uncaught` breaks where
 * nobody catches it, `BROKEN=kill` kills the process as running out of memory does.
 */
const { event } = SessionWriter.prototype;
SessionWriter.prototype.event = function (name, timeMs, data) {
  if (name !== 'chat') return event.call(this, name, timeMs, data);
  const fail = () => {
    throw new TypeError(`cannot read ${JSON.stringify(data)}`);
  };
  switch (process.env['BROKEN']) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL');
      return;
    case 'uncaught':
      setTimeout(fail, 1);
      return;
    default:
      fail();
  }
};

await runProcess(process.env, RUNNER_TIMES);
