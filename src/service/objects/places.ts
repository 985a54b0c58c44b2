/** The places where one object is exported, and the signals that leave from all of them. */

import { InvalidArgumentError } from '../../base/errors.js';
import { withStackAbove } from '../../base/stack.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { encoderFor } from '../../codec/encoder.js';
import { refusalFor } from '../../codec/value-refusal.js';
import { Writer } from '../../codec/writer.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { type Change, sendShared } from '../properties/change.js';
import type { Place } from './place.js';

export class Places {
  readonly #description: InterfaceDescription;
  readonly #places = new Set<Place>();

  constructor(description: InterfaceDescription) {
    this.#description = description;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Where the object is: of many paths the first ones, for reports. */
  get paths(): readonly string[] {
    const paths = [...new Set([...this.#places].map(({ path }) => path))];
    return paths.length > 4 ? [...paths.slice(0, 3), `${paths.length - 3} more paths`] : paths;
  }

  /** Signals and changes leave from this place too, until the returned function is called. */
  attach(place: Place): () => void {
    this.#places.add(place);
    return () => void this.#places.delete(place);
  }

  /**
   * Sends a signal from everywhere. Where the object is not exported the values are checked all the same.
   *
   * @param emitter what the program called, with whose caller the stack of an error begins
   * @throws {@link InvalidArgumentError} if they do not fit, and whatever sending throws
   */
  emitSignal(name: string, values: readonly unknown[], emitter: (...values: never[]) => unknown): void {
    try {
      this.#emitSignal(name, values);
    } catch (error) {
      throw withStackAbove(error, emitter);
    }
  }

  #emitSignal(name: string, values: readonly unknown[]): void {
    const signature = this.#description.signals.get(name)?.signature ?? '';
    if (this.size === 1) {
      for (const place of this.#places) place.emitSignal(name, values);
      return;
    }
    if (this.size === 0) {
      try {
        encoderFor(signature)(new Writer(), values);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        throw refusalFor(error, `${this.#description.name}.${name}`);
      } finally {
        closeHandedOver(signature, values);
      }
      return;
    }
    const emit = () => forEach(this.#places, (place) => place.emitSignal(name, values));
    if (!/[hv]/.test(signature)) {
      emit();
      return;
    }
    try {
      sendShared(values, emit);
    } finally {
      closeHandedOver(signature, values);
    }
  }

  /** A property has changed: each place tells it. */
  note(change: Change, owner: object): void {
    for (const place of this.#places) place.note(change, owner);
  }
}

/** One place's failure is not the others' business; the first one is thrown in the end. */
function forEach(places: Iterable<Place>, tell: (place: Place) => void): void {
  let failure: { readonly error: unknown } | undefined;
  for (const place of [...places]) {
    try {
      tell(place);
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}
