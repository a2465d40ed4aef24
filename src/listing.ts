/** The first of a list that comes in pages; all of it without a limit. */
export async function take<Item>(items: AsyncIterable<Item>, limit = Infinity): Promise<Item[]> {
  const taken: Item[] = [];
  for await (const item of items) {
    taken.push(item);
    if (taken.length >= limit) break;
  }
  return taken;
}
