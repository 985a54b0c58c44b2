/** Parses lists of arguments as programs write them. `types.ts` does the same for the compiler. */
import { InvalidArgumentError } from '../base/errors.js';
import { parseSignature, parseSingle } from '../signature/parse.js';
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
  const colon = argument.lastIndexOf(':');
  const signature = argument.slice(colon + 1);
  try {
    parseSingle(signature);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new InvalidArgumentError(`argument ${index} of the list, "${argument}": ${error.message}`);
  }
  return { name: colon > 0 ? argument.slice(0, colon) : undefined, signature };
}
