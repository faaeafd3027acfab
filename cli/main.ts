import { EXIT } from './terminal/exit-code.ts';
import { runProgram } from './terminal/run-program.ts';

// The reader of a pipe may leave early (rtms tail | head): that is its right. What was not done is said by the code.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(process.exitCode ?? EXIT.OK);
  });
}

const wrongUse = await runProgram(process.argv.slice(2));
if (wrongUse !== undefined) process.exitCode = wrongUse;
