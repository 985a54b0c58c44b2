/** Parses lists of arguments as programs write them. `types.ts` does the same for the compiler. */
import { InvalidArgumentError } from '../base/errors.js';
import { parseSignature, parseSingle } from '../signature/parse.js';
import { hasShape, type Shapes, shapedType } from '../signature/shape.js';
import type { ArgumentDescription } from './description.js';

/**
 * The arguments of a list. A list has one of two forms. One signature: each of its complete types is an unnamed
 * argument, as in `'sa{sas}'`. Or an array whose elements are `'name:signature'` or a signature alone, with one
 * complete type each, as in `['kind:s', 'devices:a{sas}']`.
 *
 * @throws {@link InvalidArgumentError} for a signature that is not valid
 */
export function parseArguments(list: string | readonly string[]): readonly ArgumentDescription[] {
  if (typeof list === 'string') {
    if (hasShape(list)) return [parseArgument(list, 0)];
    return parseSignature(list).map(({ signature }) => ({ name: undefined, signature }));
  }
  if (!Array.isArray(list)) {
    throw new InvalidArgumentError('a list of arguments must be a signature or an array of "name:signature"');
  }
  return list.map((argument: string, index) => parseArgument(argument, index));
}

/** The last colon separates the two: names are free text, and signatures have no colon. */
function parseArgument(argument: string, index: number): ArgumentDescription {
  if (typeof argument !== 'string') {
    throw new InvalidArgumentError(`argument ${index} of the list must be "name:signature", not ${typeof argument}`);
  }
  if (hasShape(argument)) {
    const { name, signature, shape } = shapedType(argument);
    checkArgument(signature, signature, index);
    return { name, signature, ...(shape && { shape }) };
  }
  const colon = argument.lastIndexOf(':');
  const signature = argument.slice(colon + 1);
  checkArgument(signature, argument, index);
  return { name: colon > 0 ? argument.slice(0, colon) : undefined, signature };
}

/** @param shown the argument, for the error */
function checkArgument(signature: string, shown: string, index: number): void {
  try {
    parseSingle(signature);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`argument ${index} of the list, "${shown}": ${error.message}`);
  }
}

/** The shapes of arguments; nothing if none has one. */
export function shapesOf(args: readonly ArgumentDescription[]): Shapes | undefined {
  return args.some(({ shape }) => shape !== undefined) ? args.map(({ shape }) => shape) : undefined;
}
