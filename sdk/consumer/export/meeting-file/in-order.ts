/** What has a place in the meeting. */
interface Timed {
  /** Since meeting zero. */
  readonly atMs: number;
}

/** Yields what all readers yield in the order of time. Each reader has that order. Memory holds one item of each. */
export async function* inOrder<Item extends Timed>(
  readers: readonly AsyncGenerator<Item, void, undefined>[],
): AsyncGenerator<Item, void, undefined> {
  const heads = await Promise.all(
    readers.map(async (reader) => ({ reader, head: await reader.next() })),
  );
  try {
    for (;;) {
      let next: (typeof heads)[number] | undefined;
      for (const each of heads) {
        const { head } = each;
        if (head.done) continue;
        if (!next || next.head.done || head.value.atMs < next.head.value.atMs) next = each;
      }
      if (!next || next.head.done) return;
      yield next.head.value;
      next.head = await next.reader.next();
    }
  } finally {
    for (const { reader } of heads) await reader.return();
  }
}

/** @returns a reader to which an item is given back that was read already */
export async function* behindHead<Item>(
  head: Item,
  reader: AsyncGenerator<Item, void, undefined>,
): AsyncGenerator<Item, void, undefined> {
  try {
    yield head;
    yield* reader;
  } finally {
    await reader.return();
  }
}
