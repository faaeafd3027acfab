import hostPino, { type LoggerOptions } from 'pino';
import { running } from '../world/machine.ts';

/** pino as it is, but for the file that it writes to. */
const pino = (options: LoggerOptions) =>
  hostPino(options, { write: (line: string) => running()?.write(line.trimEnd()) });

// biome-ignore lint/style/noDefaultExport: pino has one, and this stands in its place.
export default Object.assign(pino, { stdTimeFunctions: hostPino.stdTimeFunctions });
