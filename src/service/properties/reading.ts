/**
 * Reads all properties of one or more objects for one answer. A property that cannot be read, or whose value has the
 * wrong type, is left out and reported; the others are sent.
 */
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { EncodedEntries, type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import type { PropertyDescription } from '../../interface/description.js';
import type { CallContext } from '../calls/call-context.js';
import { LateAnswer } from '../calls/late-answer.js';
import { isThenable } from '../thenable.js';
import { beginAnswer, endAnswer } from './answer-memory.js';
import { DescriptorRoom } from './descriptor-room.js';
import type { Answer, AnswerListener, Property } from './property.js';
import type { PropertyStore } from './property-store.js';

/** The call that is answered. */
export interface Asked extends CallContext {
  /** How many descriptors the answer may carry. */
  readonly descriptors: number;
  readonly connectionId: number;
  /** Sends the announcements that precede the answer. */
  letOutFirst(): void;
}

/** How many times slow getters are awaited, if each time there are more of them, or values changed in the meantime. */
const WAITS = 2;
/** How many times the result is made in one microtask, if getters change properties that were read before them. */
const ROUNDS = 3;

/**
 * Makes a result from the values of properties, at once if no getter takes time. Otherwise the getters are awaited, and
 * the result is made again from the values at that time: changes are sent when they happen, and an older value must not
 * be sent after them. For the same reason it is sent in the microtask that makes it: see {@link LateAnswer}.
 *
 * If a property changes faster than its getter answers, the result has its newest known value. The change that outdated
 * the value is announced after the answer.
 *
 * Values whose descriptors have no room in the answer are left out and reported, because a bus disconnects a sender of
 * too many.
 */
export function whenRead<Result>(make: (read: ReadProperties) => Result, asked: Asked): Result | LateAnswer<Result> {
  beginAnswer();
  const stored = new StoredReading();
  const made = make((store, skipped) => stored.read(store, skipped));
  if (stored.isDone) {
    endAnswer();
    return made;
  }
  const reading = new Reading(asked);
  const read: ReadProperties = (store, skipped) => reading.read(store, skipped);
  const first = reading.settled(() => make(read));
  if (!reading.isWaiting) {
    reading.closeLeftOut();
    reading.tellLeftOut();
    return first;
  }
  return new LateAnswer((send) => reading.repeat(() => make(read), send));
}

/** Returns the entries of an object's properties, except those whose names were read already. */
export type ReadProperties = (store: PropertyStore, skipped?: Set<string>) => EncodedEntries;

/**
 * Reads objects that store all of their values, as most do. No getter runs, so nothing has to be recorded: each object is
 * one piece of memory. It gives up at the first object that is different.
 */
class StoredReading {
  readonly #stores: PropertyStore[] = [];
  readonly #changes: number[] = [];
  #hasGivenUp = false;

  /** Whether everything was read, and no code of the program has changed anything meanwhile. */
  get isDone(): boolean {
    return !this.#hasGivenUp && this.#stores.every((store, index) => store.plainChanges === this.#changes[index]);
  }

  read(store: PropertyStore, skipped: Set<string> | undefined): EncodedEntries {
    const changes = this.#hasGivenUp || skipped !== undefined ? undefined : store.plainChanges;
    const entries = changes === undefined ? undefined : store.plainEntries();
    if (changes === undefined || entries === undefined) {
      this.#hasGivenUp = true;
      return nothing;
    }
    this.#stores.push(store);
    this.#changes.push(changes);
    return new EncodedEntries([entries]);
  }
}

const nothing = new EncodedEntries([]);

interface ReadEntry {
  readonly property: Property;
  /** How often the property had changed by then. */
  readonly changes: number;
  /** Nothing if it takes time, or is left out. */
  readonly entry: EncodedEntry | undefined;
}

class Reading implements AnswerListener {
  readonly #answers = new Map<Property, Answer>();
  /** The properties whose getters were called and take time, and how often each had changed by then. */
  readonly #called = new Map<Property, number>();
  /** The entries that were read in this microtask, in order. A property of an object at two places is in it twice. */
  #read: ReadEntry[] = [];
  /** How many of them this round has reached. */
  #position = 0;
  #waiting: Promise<unknown>[] = [];
  #isLast = false;
  readonly #asked: Asked;
  /** The room for descriptors in this round. */
  #room: DescriptorRoom;
  /** Entries that may have descriptors: those of this round, and all of them. */
  #ofRound = new Set<EncodedEntry>();
  readonly #ofAllRounds = new Set<EncodedEntry>();
  /** The properties that were left out and reported, and how often each had changed by then. A result is made repeatedly. */
  readonly #reported = new Map<Property, number>();

  constructor(asked: Asked) {
    this.#asked = asked;
    this.#room = new DescriptorRoom(asked.descriptors);
  }

  /** Whether a requested value is not known yet. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Returns the result from values that are all up to date. A getter may change a property that was read before it, and
   * that change is announced before the answer. Then that property alone is read again.
   */
  settled<Result>(make: () => Result): Result {
    this.#read = [];
    this.#position = 0;
    let result = make();
    for (let round = 1; round < ROUNDS && this.#hasMoved(); round++) {
      this.#beginRound();
      result = make();
    }
    return result;
  }

  #hasMoved(): boolean {
    return this.#read.some(({ property, changes }) => property.changes !== changes);
  }

  #beginRound(): void {
    this.#ofRound = new Set();
    this.#room = new DescriptorRoom(this.#asked.descriptors);
    this.#position = 0;
  }

  /** Makes the result again when the requested values are known, and sends it. */
  async repeat<Result>(make: () => Result, send: (result: Result) => void): Promise<void> {
    try {
      for (let waits = 1; ; waits++) {
        await Promise.all(this.#waiting.splice(0));
        // Announcements read values when they are sent, which must not be newer than those of the answer after them.
        this.#asked.letOutFirst();
        this.#beginRound();
        this.#isLast = waits === WAITS;
        const result = this.settled(make);
        if (this.isWaiting && !this.#isLast) continue;
        for (const [property, { number }] of this.#answers) property.tell(number);
        this.tellLeftOut();
        send(result);
        return;
      }
    } finally {
      for (const property of this.#called.keys()) property.stopListening(this);
      this.closeLeftOut();
    }
  }

  learn(property: Property, answer: Answer): void {
    const known = this.#answers.get(property);
    if (known !== undefined && known.number > answer.number) return;
    this.#answers.set(property, answer);
  }

  read(store: PropertyStore, skipped?: Set<string>): EncodedEntries {
    const entries: EncodedEntry[] = [];
    const { described } = store;
    for (let place = 0; place < described.length; place++) {
      const { name, access } = described[place] as PropertyDescription;
      if (access === 'write' || skipped?.has(name)) continue;
      skipped?.add(name);
      const entry = this.#entry(store, store.propertyAt(place));
      if (entry === undefined) continue;
      if (!hasDescriptors(entry)) {
        entries.push(entry);
        continue;
      }
      this.#ofAllRounds.add(entry);
      if (!this.#room.takes(entry)) continue;
      this.#ofRound.add(entry);
      entries.push(entry);
    }
    return new EncodedEntries(entries);
  }

  /** Closes the descriptors of entries that were read and are not sent. */
  closeLeftOut(): void {
    for (const entry of this.#ofAllRounds) {
      if (!this.#ofRound.has(entry)) closeHandedOver('h', entry);
    }
  }

  tellLeftOut(): void {
    this.#room.tellRefused('an answer', this.#asked.connectionId);
  }

  #entry(store: PropertyStore, property: Property): EncodedEntry | undefined {
    const known = this.#answers.get(property);
    if (known !== undefined && (this.#isLast || known.changes === property.changes)) return known.entry;
    const position = this.#position++;
    const read = this.#read[position];
    const { changes } = property;
    if (read?.property === property && read.changes === changes) return read.entry;
    if (this.#called.get(property) === changes) {
      this.#read[position] = { property, changes, entry: undefined };
      return undefined;
    }
    const entry = store.entry(property, this.#asked, this.#reported.get(property) === changes);
    const isKnown = !(entry instanceof Promise);
    this.#read[position] = { property, changes, entry: isKnown ? entry : undefined };
    if (entry === undefined) this.#reported.set(property, changes);
    if (isKnown) return entry;
    property.listen(this);
    this.#called.set(property, changes);
    this.#waiting.push(entry.then((answer) => this.learn(property, answer)));
    return undefined;
  }
}

/**
 * Sends the value of one property that takes time. If a newer value was announced while the getter ran, the property is
 * read again.
 */
export function whenNewest(
  store: PropertyStore,
  name: string,
  first: PromiseLike<unknown>,
  asked: Asked,
): LateAnswer<unknown> {
  const property = store.property(name);
  return new LateAnswer((send) => new Asking(store, property, asked).repeat(first, send));
}

/** Waits for one value, and gets newer values in the meantime: those that answer a call, or are announced. */
class Asking implements AnswerListener {
  readonly #store: PropertyStore;
  readonly #property: Property;
  readonly #asked: Asked;
  #newest: Answer | undefined;

  constructor(store: PropertyStore, property: Property, asked: Asked) {
    this.#store = store;
    this.#property = property;
    this.#asked = asked;
  }

  learn(_property: Property, answer: Answer): void {
    // An error is only the answer to the call that asked.
    if (answer.entry === undefined || answer.number < (this.#newest?.number ?? 0)) return;
    this.#newest = answer;
  }

  /** Reads until the value is as new as the last announced value, and sends it. */
  async repeat(first: unknown, send: (value: unknown) => void): Promise<void> {
    const property = this.#property;
    const { name, signature } = property.description;
    property.listen(this);
    try {
      let asked = first;
      for (let times = 1; ; times++) {
        const number = property.beginCall();
        const { changes } = property;
        const isLast = times >= WAITS;
        let value: unknown;
        try {
          // A value that takes no time after all is sent at once, before it is outdated.
          value = isThenable(asked) ? await asked : asked;
        } catch (error) {
          if (this.#sendNewer(number, isLast, send)) return;
          throw error;
        }
        if (this.#sendNewer(number, isLast, send)) {
          closeHandedOver(signature, value);
          return;
        }
        if (isLast || property.changes === changes) {
          property.stopListening(this);
          this.#store.tell(property, { number, changes, value });
          send(value);
          return;
        }
        closeHandedOver(signature, value);
        asked = this.#store.get(name, this.#asked);
      }
    } finally {
      property.stopListening(this);
    }
  }

  /** Sends the value that became known while the getter ran, if it is newer than the getter's result. */
  #sendNewer(number: number, isLast: boolean, send: (value: unknown) => void): boolean {
    // Announcements read the value when they are sent, which is before the answer.
    this.#asked.letOutFirst();
    const newest = this.#newest;
    if (newest === undefined || newest.number < number) return false;
    if (!isLast && newest.changes !== this.#property.changes) return false;
    this.#property.tell(newest.number);
    send(newest.value);
    return true;
  }
}
