/**
 * Entries of sent messages by their serials. Serials count up, and messages are usually answered soon. So an entry has
 * the place in a ring that the low bits of its serial tell. This needs no hashing and, unlike a Map, no memory that has
 * to be cleaned up. When the place of a waiting entry is needed again, the entry moves into a Map, so any number of
 * entries may wait.
 */

/** An entry with a serial. */
export interface Numbered {
  readonly serial: number;
}

/** A power of two. Few programs have as many calls in progress, and the ring has 8 bytes for each place. */
const PLACES = 1024;

export class SerialTable<Entry extends Numbered> {
  readonly #ring: (Entry | undefined)[] = new Array<Entry | undefined>(PLACES).fill(undefined);
  readonly #moved = new Map<number, Entry>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(serial: number): Entry | undefined {
    const entry = this.#ring[serial & (PLACES - 1)];
    if (entry !== undefined && entry.serial === serial) return entry;
    return this.#moved.size === 0 ? undefined : this.#moved.get(serial);
  }

  /** Adds an entry. No other entry may have its serial. */
  add(entry: Entry): void {
    const place = entry.serial & (PLACES - 1);
    const older = this.#ring[place];
    if (older !== undefined) this.#moved.set(older.serial, older);
    this.#ring[place] = entry;
    this.#size++;
  }

  /** Removes an entry that is in the table. */
  remove(entry: Entry): void {
    const place = entry.serial & (PLACES - 1);
    if (this.#ring[place] === entry) this.#ring[place] = undefined;
    else this.#moved.delete(entry.serial);
    this.#size--;
  }

  /** All entries, by serial. */
  entries(): Entry[] {
    const inRing = this.#ring.filter((entry) => entry !== undefined);
    return [...this.#moved.values(), ...inRing].sort((a, b) => a.serial - b.serial);
  }
}
