/** What the store knows of one property of an object: of its value, of the calls of its getter, and of its changes. */
import { type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import type { PropertyDescription } from '../../interface/description.js';
import { Variant } from '../../values/variant.js';
import { KeptDescriptors } from './kept-descriptors.js';
import { withoutVariants } from './plain-value.js';
import { ReceivedTypes } from './received-types.js';

/** A value of a property that a call waits for: what a getter that takes its time came to, or what was told meanwhile. */
export interface Answer {
  /** Its place in the order in which the values were asked for: the higher one is the newer one. */
  readonly number: number;
  /** How often the property had changed when the getter was asked. */
  readonly changes: number;
  /** As it is to be sent. */
  readonly value: unknown;
  /** Nothing where it failed, or does not fit. */
  readonly entry: EncodedEntry | undefined;
}

/** Hears of what slow getters come to, and of what is told while they are at work. */
export interface AnswerListener {
  learn(property: Property, answer: Answer): void;
}

/** A value from the bus that is being set, as it came and as the setter gets it. */
interface Incoming {
  readonly taken: unknown;
  readonly received: unknown;
}

/** A value that is being set. */
export interface Setting {
  readonly number: number;
  /** As the setter gets it. */
  readonly value: unknown;
  /** The value as it is to be sent. */
  readonly typed: unknown;
  readonly hasTypes: boolean;
}

/** The value of a getter that failed, does not exist or takes time: the same as no other. */
export const unknownValue = Symbol('unknown value');

export class Property {
  readonly description: PropertyDescription;
  /** How often it has changed. */
  changes = 0;
  /** Numbers the calls of its getter that took time and, since there was one, the changes and the values that are sent. */
  #last = 0;
  /** The call that a change is waiting for: what earlier ones come to is old. */
  #followed = 0;
  /** The newest value that was sent, or will be before anything else is. */
  #told = 0;
  /** Who waits for values. */
  readonly listeners = new Set<AnswerListener>();
  readonly #types: ReceivedTypes | undefined;
  readonly #descriptors: KeptDescriptors | undefined;
  #incoming: Incoming | undefined;
  /** Values from the bus that were set so far, and the last of them whose setter is done. */
  #sets = 0;
  #lastSet = 0;

  constructor(description: PropertyDescription) {
    this.description = description;
    const { signature } = description;
    if (signature.includes('v')) this.#types = new ReceivedTypes();
    if (/[hv]/.test(signature)) this.#descriptors = new KeptDescriptors(signature);
  }

  /** It has changed: what its getter was asked before is not told any more. */
  changed(): void {
    this.changes++;
    if (this.#last > 0) this.#followed = ++this.#last;
  }

  /** Its getter was asked, and takes its time: the number of what it comes to. */
  beginCall(): number {
    return ++this.#last;
  }

  /** What the last call of its getter comes to is to be told, and of no earlier one: its number. */
  follow(): number {
    this.#followed = this.#last;
    return this.#followed;
  }

  /** Whether what a call of its getter came to is still to be told. */
  isFollowed(number: number): boolean {
    return this.#followed === number;
  }

  /** Whether something newer was sent than what a call of its getter came to. */
  isOutdated(number: number): boolean {
    return this.#told > number;
  }

  /** What a call of its getter came to is sent. */
  tell(number: number): void {
    this.#told = Math.max(this.#told, number);
  }

  /** Whether calls of its getter may be at work. */
  get wasSlow(): boolean {
    return this.#last > 0;
  }

  /** A value that took no time is sent: what calls of its getter come to that are at work is older. */
  tellNow(value: unknown, entry: EncodedEntry | undefined): void {
    if (!this.wasSlow) return;
    this.#told = ++this.#last;
    this.learn({ number: this.#told, changes: this.changes, value, entry });
  }

  /** Those who wait get to know a value. What has descriptors is for the one who asked for it, and owns them. */
  learn(answer: Answer): void {
    if (answer.entry !== undefined && hasDescriptors(answer.entry)) return;
    for (const listener of this.listeners) listener.learn(this, answer);
  }

  /** Whether a getter may open a descriptor whenever it is read. */
  get opensDescriptors(): boolean {
    return this.description.signature.includes('h');
  }

  /**
   * Has a setter take a value from the bus.
   *
   * @param wraps whether it gets the variants in it as `Variant`
   */
  receive(received: unknown, wraps: boolean, set: (taken: unknown) => unknown): unknown {
    const taken = wraps ? received : withoutVariants(received, this.description.signature);
    this.#incoming = { taken, received };
    try {
      return set(taken);
    } finally {
      this.#incoming = undefined;
    }
  }

  /** Whether the value that is being set comes from the bus. */
  get isReceiving(): boolean {
    return this.#incoming !== undefined;
  }

  /** A value as it is to be sent: with the types of the variants that others set. */
  typed(value: unknown): unknown {
    const incoming = this.#incoming;
    if (incoming !== undefined && Object.is(incoming.taken, value)) return incoming.received;
    return this.#types === undefined ? value : this.#types.typed(value);
  }

  /** As {@link typed}, of a value that takes time: others may set the property until it is there. */
  async typedLater(value: PromiseLike<unknown>): Promise<unknown> {
    const earlier = this.#types?.known;
    const settled = await value;
    return this.#types === undefined ? settled : this.#types.typed(settled, earlier);
  }

  /** As {@link typed}, of the value that the property has until another one is set. */
  typedBefore(value: unknown): unknown {
    return this.#types === undefined ? value : this.#types.typed(value);
  }

  /** Whether a value that began to be set later has been set already, so that only the property's value tells which it is. */
  isOvertaken({ number }: Setting): boolean {
    return this.#types !== undefined && number < this.#lastSet;
  }

  /** A value is about to be set. */
  beginSet(value: unknown): Setting {
    const typed = this.typed(value);
    // What the program makes of its own has no types but those that go without saying.
    return { number: ++this.#sets, value, typed, hasTypes: this.isReceiving || typed !== value };
  }

  /** Setting a value takes time: meanwhile the property may have it already. */
  takesTime(setting: Setting): void {
    if (setting.hasTypes) this.#types?.begin(setting);
  }

  /** A value could not be set. */
  wasRefused(setting: Setting): void {
    this.#types?.end(setting);
  }

  /**
   * A value was set, and its types are those of the property. Setters that take time may finish in another order than they
   * began in: the types of a later value stay while the property has that value.
   *
   * @param now the value that the property has, or {@link unknownValue}
   */
  wasSet(setting: Setting, now: unknown): void {
    const { number, typed, hasTypes } = setting;
    if (this.#types === undefined) return;
    this.#types.end(setting);
    if (this.isOvertaken(setting)) {
      if (now === unknownValue && hasTypes) this.#types.addLate(setting);
      if (now === unknownValue || this.#types.isOf(now)) return;
    }
    this.#lastSet = number;
    this.#types.remember(hasTypes ? typed : undefined);
  }

  /** Another value is stored: what descriptors it has are kept if they came from the bus. */
  store(value: unknown): void {
    this.#descriptors?.replace(value, this.isReceiving);
  }

  /** Whether one value is sent as another one is. Objects are never the same, for what they hold may have changed. */
  isSame(before: unknown, after: unknown): boolean {
    const { signature } = this.description;
    if (signature !== 'x' && signature !== 't') return isSame(before, after);
    // Of 64 bits, a number and a bigint are sent alike.
    const [one, other] = [before, after].map((each) => (typeof each === 'number' ? String(each) : each));
    return isSame(typeof one === 'bigint' ? `${one}` : one, typeof other === 'bigint' ? `${other}` : other);
  }
}

function isSame(before: unknown, after: unknown): boolean {
  if (Variant.isVariant(after)) {
    return Variant.isVariant(before) && before.signature === after.signature && isSame(before.value, after.value);
  }
  if (after === unknownValue || (typeof after === 'object' && after !== null)) return false;
  return Object.is(before, after);
}
