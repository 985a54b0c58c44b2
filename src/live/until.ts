/** Waiting until the values of an object meet a condition. */
import { closedError, UnknownObjectError } from '../base/errors.js';
import { KnownOptions } from '../base/known-options.js';
import { checkFunction, checkSignal, checkTimeout } from '../base/parameters.js';
import type { Bus } from '../bus/bus.js';
import { wait } from '../bus/wait.js';
import type { LiveState, Values } from './live-proxy.js';

/** How long to wait. */
export interface UntilOptions {
  /** Milliseconds after which the wait rejects with {@link TimeoutError}. Without it there is no limit. */
  readonly timeout?: number | undefined;
  /** Aborting rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

const untilOptions = new KnownOptions<UntilOptions>('until()', { timeout: checkTimeout, signal: checkSignal });

/** What is waited for: the values, and how errors name the object. */
interface Watched {
  readonly values: Values;
  readonly path: string;
  readonly interface: string;
}

/**
 * @throws (rejects) {@link TimeoutError}, or the reason of the abort signal
 * @throws (rejects) what the predicate throws
 * @throws (rejects) {@link UnknownObjectError} if the view removes the object; {@link ConnectionClosedError} if the
 * view or the connection ends
 */
export async function untilValues(
  bus: Bus,
  object: Watched,
  state: LiveState,
  predicate: (values: Values) => boolean,
  options: UntilOptions = {},
): Promise<Values> {
  checkFunction(predicate, 'predicate');
  untilOptions.check(options);
  const what = `${object.interface} of ${object.path}`;
  return wait<Values>(bus, `the condition of until() was not met by ${what}`, options, (resolve, reject) => {
    let isRemoved = state.current === undefined;
    const test = () => {
      isRemoved = state.current === undefined;
      if (isRemoved) return;
      try {
        const { values } = object;
        if (predicate(values)) resolve(values);
      } catch (error) {
        reject(error);
      }
    };
    const stop = state.watch({
      added: test,
      changed: test,
      removed() {
        isRemoved = true;
      },
      ended(reason) {
        if (isRemoved && reason === undefined)
          reject(new UnknownObjectError(`${what} was removed, or its view has ended`));
        else reject(closedError(`${what} is no longer followed`, reason));
      },
    });
    test();
    return stop;
  });
}
