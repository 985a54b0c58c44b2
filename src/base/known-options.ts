/**
 * The options that a function takes. Each function has one table of them, and the compiler compares the table with the
 * type of the options: no key is missing and none is superfluous. Unknown options are refused, because a misspelt one
 * would have no effect.
 */
import { InvalidArgumentError } from './errors.js';
import { quoted } from './names.js';
import { suggestion } from './nearest-name.js';
import { checkObject } from './parameters.js';

/** Checks the value of an option, which may be `undefined`. */
type CheckValue = (value: unknown, name: string) => void;

/** The check of the value of each option. */
export type OptionTable<Options> = { readonly [Key in keyof Required<Options>]: CheckValue };

/** The check of an option that is checked where it is used. */
export function anyValue(): void {}

/**
 * The error for an unknown key. It suggests the key that was probably meant.
 *
 * @param call the function that was given the key
 * @param kind what the keys are: options, or fields of a message
 */
export function unknownKey(call: string, kind: string, key: string, known: Iterable<string>): InvalidArgumentError {
  return new InvalidArgumentError(`${call} takes no ${kind} ${quoted(key)}${suggestion(key, known)}`);
}

interface Wording {
  /** The word for a key in errors; `option` by default. */
  readonly kind?: string;
  /** The keys here, by the names that dbus-next has for them. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

export class KnownOptions<Options extends object> {
  readonly #call: string;
  readonly #wording: Wording;
  /** Has no prototype, so that inherited names are not found. */
  readonly #checks: { readonly [key: string]: CheckValue };

  /** @param call the function that takes the options, for error texts: `connect()` */
  constructor(call: string, table: OptionTable<Options>, wording: Wording = {}) {
    this.#call = call;
    this.#wording = wording;
    this.#checks = Object.assign(Object.create(null), table);
  }

  /**
   * Checks that the options are an object, and checks its keys and values.
   *
   * @param name the name of the parameter
   * @throws {@link InvalidArgumentError}
   */
  check(options: Options, name = 'options'): void {
    checkObject(options, name);
    this.checkKeys(options);
    for (const key of Object.keys(this.#checks)) {
      this.#checks[key]?.((options as { readonly [key: string]: unknown })[key], key);
    }
  }

  /**
   * Checks only the keys, for options that are passed often and whose values are checked where they are used.
   *
   * @throws {@link InvalidArgumentError} for an unknown key, whatever its value is
   */
  checkKeys(options: object): void {
    for (const key of Object.keys(options)) if (this.#checks[key] === undefined) throw this.#unknown(key);
  }

  #unknown(key: string): InvalidArgumentError {
    const { kind = 'option', elsewhere = {} } = this.#wording;
    const name = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
    if (name === undefined) return unknownKey(this.#call, kind, key, Object.keys(this.#checks));
    return new InvalidArgumentError(`${this.#call} takes no ${kind} ${quoted(key)}: it is called ${quoted(name)} here`);
  }
}
