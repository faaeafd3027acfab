import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const ESTABLISHED = '01';

/**
 * How many established connections a process has to these ports of this machine.
 *
 * @returns undefined where the operating system does not tell (no /proc)
 */
export function connectionsTo(ports: ReadonlySet<number>, pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const directory = `/proc/${pid}/fd`;
  const sockets = readdirSync(directory).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${directory}/${fd}`))?.[1] ?? [];
    } catch {
      // Closed since the directory was read.
      return [];
    }
  });
  const own = new Set(sockets);
  const lines = ['tcp', 'tcp6'].flatMap((file) =>
    readFileSync(`/proc/${pid}/net/${file}`, 'utf8').split('\n').slice(1),
  );
  return lines.filter((line) => {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
    const [, , remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const port = Number.parseInt(remote.split(':')[1] ?? '', 16);
    return state === ESTABLISHED && ports.has(port) && own.has(inode);
  }).length;
}
