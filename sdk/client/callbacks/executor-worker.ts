import { workerData } from 'piscina';

/** One call of a task. A Buffer arrives as a Uint8Array. */
export interface ExecutorTask {
  readonly name: string;
  readonly args: readonly unknown[];
}

const module = import(String(workerData)) as Promise<Readonly<Record<string, unknown>>>;

/** Calls an export of the program's module; piscina calls this in a worker thread. */
export async function runTask({ name, args }: ExecutorTask): Promise<unknown> {
  const task = (await module)[name];
  if (typeof task !== 'function') throw new Error(`the executor's module exports no ${name}`);
  return task(
    ...args.map((value) =>
      value instanceof Uint8Array
        ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
        : value,
    ),
  );
}
