/** The places where one object is exported, and the signals that are sent from all of them. */

import { InvalidArgumentError } from '../../base/errors.js';
import { SmallSet } from '../../base/small-set.js';
import { withStackAbove } from '../../base/stack.js';
import { closeHandedOver, closeMadeByGetters, descriptorsHeldIn } from '../../codec/close-descriptors.js';
import { encoderFor } from '../../codec/encoder.js';
import { readOnce } from '../../codec/read-once.js';
import { refusalFor } from '../../codec/value-refusal.js';
import { Writer } from '../../codec/writer.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { type Change, sendShared } from '../properties/change.js';
import type { Place } from './place.js';
import type { Recipient } from './recipient.js';

/** Signals and changes are sent from a place between its addition and its removal. */
export class Places extends SmallSet<Place> {
  readonly #description: InterfaceDescription;

  constructor(description: InterfaceDescription) {
    super();
    this.#description = description;
  }

  /** The first of the paths with the object, for reports. */
  get paths(): readonly string[] {
    const paths = [...new Set([...this].map(({ path }) => path))];
    return paths.length > 4 ? [...paths.slice(0, 3), `${paths.length - 3} more paths`] : paths;
  }

  /**
   * Sends a signal from all places. The values are checked even if the object is not exported.
   *
   * @param emitter the function that the program called; the stack of an error begins with its caller
   * @param recipient the connection that gets it, if not all do
   * @throws {@link InvalidArgumentError} if a value has the wrong type, and any error of sending
   */
  emitSignal(
    name: string,
    values: readonly unknown[],
    emitter: (...values: never[]) => unknown,
    recipient?: Recipient,
  ): void {
    try {
      this.#emitSignal(name, values, recipient);
    } catch (error) {
      throw withStackAbove(error, emitter);
    }
  }

  #emitSignal(name: string, values: readonly unknown[], recipient: Recipient | undefined): void {
    const { only } = this;
    if (only !== undefined && recipient === undefined) {
      only.emitSignal(name, values);
      return;
    }
    const signature = this.#description.signals.get(name)?.signature ?? '';
    const places = recipient === undefined ? [...this] : recipient.among(this);
    if (places.length === 0) {
      this.#check(name, signature, values);
      closeHandedOver(signature, values);
      return;
    }
    // Getters in the values are called once for all places.
    const read = values.map(readOnce);
    let isTold = false;
    const emit = () =>
      forEach(places, (place) => {
        if (recipient === undefined) place.emitSignal(name, read);
        else place.emitSignalTo(recipient.destination, name, read);
        isTold = true;
      });
    if (!/[hv]/.test(signature)) {
      emit();
      return;
    }
    try {
      sendShared(read, emit);
    } finally {
      // If it is refused at all places, the emitter gets the error, and its descriptors stay with it.
      closeHandedOver(signature, isTold ? read : madeFor(read, values));
    }
  }

  /** @throws {@link InvalidArgumentError} for values of another type */
  #check(name: string, signature: string, values: readonly unknown[]): void {
    const writer = new Writer();
    try {
      encoderFor(signature)(writer, values);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw refusalFor(error, `${this.#description.name}.${name}`);
    } finally {
      closeMadeByGetters(writer.fds, values);
    }
  }

  /** Passes a changed property to each place. */
  note(change: Change, owner: object): void {
    const { only } = this;
    if (only !== undefined) only.note(change, owner);
    else for (const place of this) place.note(change, owner);
  }
}

/** The descriptors in a copy of values that the values themselves do not hold: their getters made them. */
function madeFor(copy: unknown, values: unknown): unknown {
  const held = descriptorsHeldIn(values);
  return [...descriptorsHeldIn(copy)].filter((descriptor) => !held.has(descriptor));
}

/** An error at one place does not affect the others; the first error is thrown at the end. */
function forEach(places: readonly Place[], tell: (place: Place) => void): void {
  let failure: { readonly error: unknown } | undefined;
  for (const place of places) {
    try {
      tell(place);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}
