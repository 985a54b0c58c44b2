/** The state of one property of an object: its value, the running calls of its getter, and its changes. */
import { SmallSet } from '../../base/small-set.js';
import { type EncodedEntry, hasDescriptors } from '../../codec/encoded-entries.js';
import { takenAs } from '../../codec/plain-value.js';
import type { ShapedReading } from '../../codec/read-shaped.js';
import type { PropertyDescription } from '../../interface/description.js';
import type { Shape } from '../../signature/shape.js';
import type { VariantChoice } from '../../signature/types.js';
import { Variant } from '../../values/variant.js';
import { receivedShape } from '../calls/shaped-arguments.js';
import { KeptDescriptors } from './kept-descriptors.js';
import { ReceivedTypes } from './received-types.js';

/** A property's value that a call waits for: the result of a slow getter, or a value that was sent in the meantime. */
export interface Answer {
  /** Its number in the order in which the values were asked for. A higher number is newer. */
  readonly number: number;
  /** How often the property had changed when the getter was called. */
  readonly changes: number;
  /** The value as it is sent. */
  readonly value: unknown;
  /** Nothing if the getter failed, or its value has the wrong type. */
  readonly entry: EncodedEntry | undefined;
}

/** Gets the results of slow getters, and values that are sent while they run. */
export interface AnswerListener {
  learn(property: Property, answer: Answer): void;
}

/** A value from the bus that is being set: as it was received, and as the setter gets it. */
interface Incoming {
  readonly taken: unknown;
  readonly received: unknown;
}

/** A value that is being set. */
export interface Setting {
  readonly number: number;
  /** The value as the setter gets it. */
  readonly value: unknown;
  /** The value as it is sent. */
  readonly typed: unknown;
  readonly hasTypes: boolean;
}

/** Stands for the value of a getter that failed, does not exist or takes time. It equals no value. */
export const unknownValue = Symbol('unknown value');

/** The calls of a getter that take time, in the order in which the values were asked for. */
class SlowCalls {
  /** A counter for these calls and, since the first of them, for the changes and the values that are sent. */
  last = 0;
  /** The number of the getter's call that a change waits for. The results of earlier calls are outdated. */
  followed = 0;
  /** The number of the newest value that was sent, or will be sent before anything else. */
  told = 0;
  readonly listeners = new SmallSet<AnswerListener>();
}

/** Additional data of a value with variants or descriptors. */
class Beside {
  readonly types: ReceivedTypes | undefined;
  readonly descriptors: KeptDescriptors;
  incoming: Incoming | undefined;
  /** How many values from the bus were set, and the last of them whose setter is done. */
  sets = 0;
  lastSet = 0;

  constructor(signature: string) {
    this.types = signature.includes('v') ? new ReceivedTypes() : undefined;
    this.descriptors = new KeptDescriptors(signature);
  }
}

/** A program may have many thousands of properties, so what few of them need is apart. */
export class Property {
  readonly description: PropertyDescription;
  /** How often the property has changed. */
  changes = 0;
  #slow: SlowCalls | undefined;
  readonly #beside: Beside | undefined;

  constructor(description: PropertyDescription) {
    this.description = description;
    const { signature } = description;
    if (/[hv]/.test(signature)) this.#beside = new Beside(signature);
  }

  /** Listens for values until {@link stopListening} is called. */
  listen(listener: AnswerListener): void {
    this.#slow ??= new SlowCalls();
    this.#slow.listeners.add(listener);
  }

  stopListening(listener: AnswerListener): void {
    this.#slow?.listeners.delete(listener);
  }

  get hasListeners(): boolean {
    return this.#slow !== undefined && this.#slow.listeners.size > 0;
  }

  /** Records a change. Results of earlier calls of its getter are no longer announced. */
  changed(): void {
    this.changes++;
    const slow = this.#slow;
    if (slow !== undefined && slow.last > 0) slow.followed = ++slow.last;
  }

  /** Records a call of its getter that takes time. Returns the number of its result. */
  beginCall(): number {
    this.#slow ??= new SlowCalls();
    return ++this.#slow.last;
  }

  /**
   * Makes the result of the getter's last call the one that is announced, instead of earlier ones. Returns its number.
   */
  follow(): number {
    this.#slow ??= new SlowCalls();
    this.#slow.followed = this.#slow.last;
    return this.#slow.followed;
  }

  /** Whether the result of a getter's call is still to be announced. */
  isFollowed(number: number): boolean {
    return (this.#slow?.followed ?? 0) === number;
  }

  /** Whether a newer value than the result of a getter's call was sent. */
  isOutdated(number: number): boolean {
    return (this.#slow?.told ?? 0) > number;
  }

  /** Records that the result of a getter's call is sent. */
  tell(number: number): void {
    if (this.#slow !== undefined) this.#slow.told = Math.max(this.#slow.told, number);
  }

  /** Whether calls of its getter may be running. */
  get wasSlow(): boolean {
    return this.#slow !== undefined && this.#slow.last > 0;
  }

  /** Records that a value that took no time is sent. Results of running calls of its getter are older. */
  tellNow(value: unknown, entry: EncodedEntry | undefined): void {
    const slow = this.#slow;
    if (slow === undefined || slow.last === 0) return;
    slow.told = ++slow.last;
    this.learn({ number: slow.told, changes: this.changes, value, entry });
  }

  /**
   * Passes a value to the listeners. A value with descriptors is only for the caller that asked for it, which owns
   * them.
   */
  learn(answer: Answer): void {
    if (this.#slow === undefined || (answer.entry !== undefined && hasDescriptors(answer.entry))) return;
    for (const listener of this.#slow.listeners) listener.learn(this, answer);
  }

  /** Whether values are what they are: the property has neither variants nor descriptors. */
  get isPlain(): boolean {
    return this.#beside === undefined;
  }

  /** Whether a getter may open a descriptor each time it is read. */
  get opensDescriptors(): boolean {
    return this.description.signature.includes('h');
  }

  /**
   * Passes a value from the bus to a setter.
   *
   * @param variants how the setter gets the value's variants; `plain` by default
   */
  receive(received: unknown, variants: VariantChoice | undefined, set: (taken: unknown) => unknown): unknown {
    const beside = this.#beside;
    if (beside === undefined) return set(received);
    const taken = this.taken(received, variants);
    return this.#take(
      beside,
      taken,
      this.description.shape === undefined ? received : this.#shaped(received, 'typed'),
      set,
    );
  }

  /** A value from the bus as the setter gets it. */
  taken(received: unknown, variants: VariantChoice | undefined): unknown {
    const { signature, shape } = this.description;
    if (this.#beside === undefined) return received;
    return shape === undefined ? takenAs(received, signature, variants) : this.#shaped(received, variants);
  }

  #shaped(received: unknown, as: ShapedReading['variants']): unknown {
    const { name, shape } = this.description;
    return receivedShape(received, shape as Shape, as, `property ${name}`);
  }

  #take(beside: Beside, taken: unknown, received: unknown, set: (taken: unknown) => unknown): unknown {
    beside.incoming = { taken, received };
    try {
      return set(taken);
    } finally {
      beside.incoming = undefined;
    }
  }

  /** A value as it is sent: with the types of variants that clients set. */
  typed(value: unknown): unknown {
    if (this.#beside === undefined) return value;
    const { incoming, types } = this.#beside;
    if (incoming !== undefined && Object.is(incoming.taken, value)) return incoming.received;
    return types === undefined ? value : types.typed(value);
  }

  /** As {@link typed}, for a value that takes time: clients may set the property before it is known. */
  async typedLater(value: PromiseLike<unknown>): Promise<unknown> {
    const types = this.#beside?.types;
    const earlier = types?.known;
    const settled = await value;
    return types === undefined ? settled : types.typed(settled, earlier);
  }

  /** As {@link typed}, for the value that the property has until another one is set. */
  typedBefore(value: unknown): unknown {
    const types = this.#beside?.types;
    return types === undefined ? value : types.typed(value);
  }

  /** Whether a later value was set already, so that the value must be read from the property. */
  isOvertaken({ number }: Setting): boolean {
    return this.#beside?.types !== undefined && number < this.#beside.lastSet;
  }

  /** Records that a value is about to be set. */
  beginSet(value: unknown): Setting {
    const beside = this.#beside;
    if (beside === undefined) return { number: 0, value, typed: value, hasTypes: false };
    const typed = this.typed(value);
    // Values that the program makes have their default types.
    return { number: ++beside.sets, value, typed, hasTypes: beside.incoming !== undefined || typed !== value };
  }

  /** Records that setting a value takes time. The property may have the value before that ends. */
  takesTime(setting: Setting): void {
    if (setting.hasTypes) this.#beside?.types?.begin(setting);
  }

  /** Records that a value could not be set. */
  wasRefused(setting: Setting): void {
    this.#beside?.types?.end(setting);
  }

  /**
   * Records that a value was set, so that its types are those of the property. Slow setters may finish in another order
   * than they began. The types of a later value stay while the property has that value.
   *
   * @param now the value that the property has, or {@link unknownValue}
   */
  wasSet(setting: Setting, now: unknown): void {
    const beside = this.#beside;
    if (beside?.types === undefined) return;
    const { types } = beside;
    const { number, typed, hasTypes } = setting;
    types.end(setting);
    if (this.isOvertaken(setting)) {
      if (now === unknownValue && hasTypes) types.addLate(setting);
      if (now === unknownValue || types.isOf(now)) return;
    }
    beside.lastSet = number;
    types.remember(hasTypes ? typed : undefined);
  }

  /** Records another stored value. Its descriptors are kept if they came from the bus. */
  store(value: unknown): void {
    this.#beside?.descriptors.replace(value, this.#beside.incoming !== undefined);
  }

  /** Whether two values are sent alike. Objects never count as the same, because their content may have changed. */
  isSame(before: unknown, after: unknown): boolean {
    const { signature } = this.description;
    if (signature !== 'x' && signature !== 't') return isSame(before, after);
    // A number and a bigint with 64 bits are sent alike.
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
