/** What the store knows of one property of an object: of its value, of the calls of its getter, and of its changes. */
import type { EncodedEntry } from '../../codec/encoded-entries.js';
import type { PropertyDescription } from '../../introspection/description.js';
import { Variant } from '../../variant.js';
import { KeptDescriptors } from './kept-descriptors.js';
import { withoutVariants } from './plain-value.js';
import { ReceivedTypes } from './received-types.js';

/** What a getter that takes its time came to. */
export interface Answer {
  /** Which call of the getter it was, of those that took time. */
  readonly number: number;
  /** How often the property had changed when the getter was asked. */
  readonly changes: number;
  /** Nothing where it failed. */
  readonly entry: EncodedEntry | undefined;
}

/** Hears of what slow getters come to. */
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
  /** Calls of its getter that took time. */
  asked = 0;
  /** The last one of them that was begun because of a change: what earlier ones come to is old. */
  followed = 0;
  /** The last one of them whose value was told. */
  told = 0;
  /** Who waits for them. */
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
    if (signature.includes('v')) this.#types = new ReceivedTypes(signature);
    if (/[hv]/.test(signature)) this.#descriptors = new KeptDescriptors(signature);
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
    return { number: ++this.#sets, typed, hasTypes: this.isReceiving || typed !== value };
  }

  /**
   * A value was set, and its types are those of the property. Setters that take time may finish in another order than they
   * began in: the types of a later value stay while the property has that value.
   *
   * @param now the value that the property has, if it is known
   */
  wasSet(setting: Setting, now: unknown): void {
    const { number, typed, hasTypes } = setting;
    if (this.#types === undefined) return;
    if (this.isOvertaken(setting) && this.#types.isOf(now)) return;
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
