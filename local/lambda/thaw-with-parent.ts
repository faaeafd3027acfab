/**
 * Stands beside the executions of one function and knows which of them are frozen. A frozen process does not notice that
 * its parent is gone (`exit-with-parent.ts`). When that happens, this one lets them all go on, and they end.
 */
const frozen = new Set<number>();

process.on('message', (pids: readonly number[]) => {
  frozen.clear();
  for (const pid of pids) frozen.add(pid);
});
process.prependListener('disconnect', () => {
  for (const pid of frozen) {
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has ended already.
    }
  }
  process.exit();
});
// A child of the local stack does not live for its channel alone; this one does.
process.channel?.ref();

export {};
