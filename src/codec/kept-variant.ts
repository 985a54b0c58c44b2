/** A variant with a remembered type, which busbar makes of a plain value when it is written. */
import { quoted } from '../base/names.js';
import { Variant } from '../values/variant.js';

export class KeptVariant extends Variant {
  /** The key or index of the value in its container. */
  readonly #key: unknown;

  constructor(signature: string, value: unknown, key: unknown) {
    super(signature, value as never);
    this.#key = key;
  }

  /** Whether a value is one of these. `Variant` decides for `instanceof` in its own way. */
  static isKept(value: unknown): value is KeptVariant {
    return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === KeptVariant.prototype;
  }

  /** Why the value must have this type, for the error if it has another one. */
  get reason(): string {
    const key = this.#key;
    const name = typeof key === 'number' ? `[${key}]` : quoted(String(key));
    return `${name} was read as ${this.signature}: write a Variant to give it another type`;
  }
}
