import { AsyncLocalStorage as HostStorage } from 'node:async_hooks';

export * from 'node:async_hooks';

/** The storages of our code: there is one, by which it knows whose session an error is of. */
const storages: HostStorage<unknown>[] = [];

export class AsyncLocalStorage<T> extends HostStorage<T> {
  constructor() {
    super();
    storages.push(this as HostStorage<unknown>);
  }
}

/** Keeps Node's async context for a callback. Node's own snapshot of all contexts costs more than most callbacks do. */
export function inContext(callback: () => void): () => void {
  let run = callback;
  for (const storage of storages) {
    const store = storage.getStore();
    const inner = run;
    if (store !== undefined) run = () => storage.run(store, inner);
  }
  return run;
}
