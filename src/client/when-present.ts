/** Calls that wait for their service: what a proxy does with the option `wait`. */
import { isUniqueName } from '../base/names.js';
import { DEFAULT_TIMEOUT } from '../connection/sending/pending-calls.js';
import type { ProxyOptions } from './proxy-types.js';
import type { Remote } from './remote.js';

/**
 * Makes a call, as soon as the name has an owner if the proxy waits for it. The time limit holds for both together. A
 * unique name never comes back, so it is not waited for.
 *
 * @param call gets the options of the call
 */
export function whenPresent<Result>(
  { bus, destination, options }: Remote,
  call: (options: ProxyOptions) => Promise<Result>,
): Promise<Result> {
  if (options.wait !== true || destination === undefined || bus.isPeer || isUniqueName(destination))
    return call(options);
  return callLater(bus, destination, options, call);
}

async function callLater<Result>(
  bus: Remote['bus'],
  destination: string,
  options: ProxyOptions,
  call: (options: ProxyOptions) => Promise<Result>,
): Promise<Result> {
  const { timeout = DEFAULT_TIMEOUT, signal } = options;
  const start = performance.now();
  await bus.waitForName(destination, { timeout, signal });
  return call({ ...options, timeout: Math.max(0, timeout - (performance.now() - start)) });
}
