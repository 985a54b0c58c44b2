/** The interfaces of the objects whose paths a method returns, as `returns` in a definition names them. */
import { InvalidArgumentError } from '../base/errors.js';
import type { ArgumentDescription, ReturnedInterface } from './description.js';
import type { MethodInput } from './member-inputs.js';

/**
 * The interface of each result, from the option. One interface is that of the only result.
 *
 * @throws {@link InvalidArgumentError} unless each interface stands for a path, or an array of paths
 */
export function readReturns(
  returns: MethodInput['returns'],
  results: readonly ArgumentDescription[],
): readonly (ReturnedInterface | undefined)[] | undefined {
  if (returns === undefined) return undefined;
  const interfaces = (Array.isArray(returns) ? returns : [returns]) as readonly (ReturnedInterface | undefined)[];
  if (interfaces.length !== results.length) {
    throw new InvalidArgumentError(
      `"returns" has ${interfaces.length} of the ${results.length} results in "out": ` +
        'give an array with an interface or undefined for each',
    );
  }
  interfaces.forEach((found, index) => {
    if (found === undefined) return;
    if (!isDefinition(found)) {
      throw new InvalidArgumentError('"returns": expected the result of defineInterface(), or an array of them');
    }
    const { signature } = results[index] as ArgumentDescription;
    if (signature === 'o' || signature === 'ao') return;
    throw new InvalidArgumentError(
      `"returns": the result ${index} has the signature "${signature}", but objects are returned as "o" or "ao"`,
    );
  });
  return interfaces;
}

function isDefinition(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'description' in value;
}
