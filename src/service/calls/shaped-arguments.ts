/** Values that clients send, with dictionaries whose keys are known. What does not match is an error of the caller. */
import { InvalidArgumentError } from '../../base/error-classes.js';
import { Misfit } from '../../codec/misfit.js';
import { takenAs } from '../../codec/plain-value.js';
import { readShaped, type ShapedReading } from '../../codec/read-shaped.js';
import type { MethodDescription } from '../../interface/description.js';
import type { Shape } from '../../signature/shape.js';
import type { VariantChoice } from '../../signature/types.js';

/**
 * The arguments as the method gets them.
 *
 * @param values decoded with their variants
 * @throws {@link InvalidArgumentError} for the caller, with the path to what does not match
 */
export function shapedArguments(
  { in: args }: MethodDescription,
  values: readonly unknown[],
  variants: VariantChoice,
): unknown[] {
  return args.map(({ shape, signature, name }, index) => {
    const value = values[index];
    if (shape === undefined) return takenAs(value, signature, variants);
    return receivedShape(
      value,
      shape,
      variants,
      name === undefined ? `argument ${index}` : `argument ${index} (${name})`,
    );
  });
}

/**
 * A value with a shape as the program gets it.
 *
 * @param root what the value is, for the error
 * @throws {@link InvalidArgumentError} for the caller
 */
export function receivedShape(
  value: unknown,
  shape: Shape,
  variants: ShapedReading['variants'],
  root: string,
): unknown {
  try {
    return readShaped(value, shape, { variants });
  } catch (error) {
    throw error instanceof Misfit ? new InvalidArgumentError(`${root}${error.message}`) : error;
  }
}
