import { runProgram } from './run-program.ts';
import { EXIT } from './terminal/exit-code.ts';

// The reader of a pipe may leave early (rtms tail | head). That is no error; the exit code says whether work was left.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? EXIT.OK);
  });
}

const wrongUse = await runProgram(process.argv.slice(2));
if (wrongUse !== undefined) process.exitCode = wrongUse;
