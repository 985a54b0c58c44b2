/**
 * The options that a call takes. Each call has one table of them, which the compiler holds against the type of its options, so
 * that no key is missing and none is too many. An option that does not exist is refused: a misspelt one would do nothing.
 */
import { InvalidArgumentError } from './errors.js';
import { quoted } from './names.js';
import { suggestion } from './nearest-name.js';
import { checkObject } from './parameters.js';

/** Checks the value of an option, which may be `undefined`. */
type CheckValue = (value: unknown, name: string) => void;

/** What checks the value of each option. */
export type OptionTable<Options> = { readonly [Key in keyof Required<Options>]: CheckValue };

/** The check of an option that is checked where it is used. */
export function anyValue(): void {}

/**
 * The error for a key that does not exist, with the one that was probably meant.
 *
 * @param call what was given the key
 * @param kind what the keys are: options, fields of a message
 */
export function unknownKey(call: string, kind: string, key: string, known: Iterable<string>): InvalidArgumentError {
  return new InvalidArgumentError(`${call} takes no ${kind} ${quoted(key)}${suggestion(key, known)}`);
}

interface Wording {
  /** What the keys are called; options if left out. */
  readonly kind?: string;
  /** Keys by the names that dbus-next has for them. */
  readonly elsewhere?: Readonly<Record<string, string>>;
}

export class KnownOptions<Options extends object> {
  readonly #call: string;
  readonly #wording: Wording;
  /** Without a prototype, so that a key is looked up as it is. */
  readonly #checks: { readonly [key: string]: CheckValue };

  /** @param call what takes the options, for texts: `connect()` */
  constructor(call: string, table: OptionTable<Options>, wording: Wording = {}) {
    this.#call = call;
    this.#wording = wording;
    this.#checks = Object.assign(Object.create(null), table);
  }

  /**
   * Checks that there are options, their keys, and their values.
   *
   * @param name that of the parameter
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
   * Checks the keys alone, for what is made often and checked where it is used.
   *
   * @throws {@link InvalidArgumentError} for one that does not exist, whatever its value is
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
