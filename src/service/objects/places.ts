/** The places where one object is exported, and the signals that are sent from all of them. */

import { InvalidArgumentError } from '../../base/errors.js';
import { SmallSet } from '../../base/small-set.js';
import { withStackAbove } from '../../base/stack.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { encoderFor } from '../../codec/encoder.js';
import { refusalFor } from '../../codec/value-refusal.js';
import { Writer } from '../../codec/writer.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { type Change, sendShared } from '../properties/change.js';
import type { Place } from './place.js';

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
   * @throws {@link InvalidArgumentError} if a value has the wrong type, and any error of sending
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
    const { only } = this;
    if (only !== undefined) {
      only.emitSignal(name, values);
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
    const emit = () => forEach(this, (place) => place.emitSignal(name, values));
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

  /** Passes a changed property to each place. */
  note(change: Change, owner: object): void {
    const { only } = this;
    if (only !== undefined) only.note(change, owner);
    else for (const place of this) place.note(change, owner);
  }
}

/** An error at one place does not affect the others; the first error is thrown at the end. */
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
