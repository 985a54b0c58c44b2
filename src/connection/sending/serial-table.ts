/**
 * What belongs to messages that were sent, by their serials. Serials count up, and what waits for an answer seldom waits
 * for long: so an entry has the place in a ring that the low bits of its serial name, which takes no hashing and, unlike
 * a Map, no memory that has to be tidied up behind it. Who waits longer than the ring goes round moves into a Map when
 * its place is needed, so that any number may wait.
 */

/** What has a serial. */
export interface Numbered {
  readonly serial: number;
}

/** A power of two; so many calls at a time are many, and the ring has 8 bytes for each. */
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

  /** Adds an entry. No other may have its serial. */
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
