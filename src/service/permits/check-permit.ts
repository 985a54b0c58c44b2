/** Decides whether a call is permitted, and makes the error for the caller if it is not. */
import { AccessDeniedError, DBusError, InteractiveAuthorizationRequiredError } from '../../base/error-classes.js';
import { InvalidArgumentError, isOfBusbar } from '../../base/errors.js';
import { report } from '../../diagnostics/problems.js';
import { isThenable } from '../thenable.js';
import type { CheckedCall, Question } from './conditions.js';
import type { Permit } from './permission.js';

/**
 * Checks a permit. Its conditions are decided one after the other, until one is met.
 *
 * @param what what is checked, for the text of the error: `setting org.example.Lamp.Level`
 * @param args returns the arguments for functions of the program
 * @param isQuiet whether the user must not be asked
 * @returns a promise if it takes time
 * @throws (also rejects) the error for the caller if no condition is met
 */
export function checkPermit(
  permit: Permit,
  call: CheckedCall,
  what: string,
  args: () => readonly unknown[],
  isQuiet = false,
): Promise<void> | undefined {
  return new Check(permit, call, what, args, isQuiet).from(0);
}

class Check implements Question {
  readonly call: CheckedCall;
  readonly args: () => readonly unknown[];
  readonly isQuiet: boolean;
  readonly #permit: Permit;
  readonly #what: string;
  readonly #reasons: string[] = [];
  #refusal: DBusError | undefined;

  constructor(permit: Permit, call: CheckedCall, what: string, args: () => readonly unknown[], isQuiet: boolean) {
    this.#permit = permit;
    this.call = call;
    this.#what = what;
    this.args = args;
    this.isQuiet = isQuiet;
  }

  readonly undecided = (reason: string): void => {
    this.#reasons.push(reason);
  };

  /** Decides the conditions from this one on. */
  from(index: number): Promise<void> | undefined {
    for (let at = index; at < this.#permit.length; at++) {
      let met: unknown;
      try {
        met = this.#permit[at]?.isMet(this);
      } catch (error) {
        this.#refused(error);
        continue;
      }
      if (isThenable(met)) return this.#later(met, at + 1);
      if (this.#isTrue(met)) return undefined;
    }
    throw this.#error();
  }

  async #later(decision: PromiseLike<unknown>, next: number): Promise<void> {
    try {
      if (this.#isTrue(await decision)) return;
    } catch (error) {
      this.#refused(error);
    }
    await this.from(next);
  }

  /** A function that forgets its result must not permit anything. */
  #isTrue(met: unknown): boolean {
    if (typeof met === 'boolean') return met;
    const misuse = new InvalidArgumentError(`allow: the function must return true or false, not ${typeof met}`);
    report('handler', `${this.call.what} is refused`, misuse, this.call.connectionId);
    return false;
  }

  /** Another condition may still be met, if a condition was refused by an answer. Any other error ends the check. */
  #refused(error: unknown): void {
    if (!(error instanceof DBusError) || isOfBusbar(error)) throw error;
    this.#refusal = this.#refusal instanceof InteractiveAuthorizationRequiredError ? this.#refusal : error;
  }

  #error(): DBusError {
    const refusal = this.#refusal;
    if (refusal !== undefined && (this.#permit.length === 1 || !(refusal instanceof AccessDeniedError))) return refusal;
    const wanted = this.#permit.map(({ text }) => text).join(', or ');
    const reasons = this.#reasons.length === 0 ? '' : ` (${this.#reasons.join('; ')})`;
    return new AccessDeniedError(`${this.#what} requires ${wanted}${reasons}`);
  }
}
