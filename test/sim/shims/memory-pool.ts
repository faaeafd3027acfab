import { MemoryPool } from '../../../shared/memory-pool.ts';
import { type Machine, running } from '../world/machine.ts';

export { MemoryPool };

const pools = new WeakMap<Machine, MemoryPool>();

/** The pool of the process that runs. */
class PoolOfProcess extends MemoryPool {
  override acquire(sizeBytes: number): Buffer {
    return own().acquire(sizeBytes);
  }

  override release(memory: Uint8Array): void {
    own().release(memory);
  }
}

function own(): MemoryPool {
  const machine = running();
  if (machine === undefined) throw new Error('memory outside of every simulated process');
  let pool = pools.get(machine);
  if (pool === undefined) {
    pool = new MemoryPool();
    pools.set(machine, pool);
  }
  return pool;
}

export const processMemory = new PoolOfProcess();
