/** Many questions to the bus at a time, but not all at once. */

/** Calls that wait at a time. Buses refuse connections with too many; dbus-daemon of a system bus allows 128. */
const AT_A_TIME = 32;

/** The results of a function for each item, in order. A rejection rejects the whole. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  map: (item: Item, index: number) => Promise<Result>,
  atATime = AT_A_TIME,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length);
  let next = 0;
  const work = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await map(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, work));
  return results;
}
