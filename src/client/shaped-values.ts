/** Received values whose dictionaries have known keys. They are decoded with their variants, to know the types. */
import { closeDescriptors } from '../codec/close-descriptors.js';
import type { Decoding } from '../codec/decode-options.js';
import { Misfit } from '../codec/misfit.js';
import { takenAs } from '../codec/plain-value.js';
import { readShaped } from '../codec/read-shaped.js';
import { report } from '../diagnostics/problems.js';
import type { ArgumentDescription } from '../interface/description.js';
import type { Shape } from '../signature/shape.js';
import { shapeMisfitText } from './misfits.js';
import type { ProxyOptions } from './proxy-types.js';
import type { Remote } from './remote.js';

/** Something that can be decoded. */
interface Body {
  decode(options: Decoding): unknown[];
}

/** How values with shapes are decoded, before they are read. */
function decodingOfShaped({ typedArrays, dictionaries }: ProxyOptions): Decoding {
  return { variants: 'wrap', typedArrays, dictionaries };
}

/**
 * Reads a value with a shape, after it was decoded. A loose proxy reports what is wrong and accepts it.
 *
 * @param what what the value is, for a report
 * @throws {@link Misfit}
 */
export function readShape({ bus, options }: Remote, shape: Shape, value: unknown, what: string): unknown {
  const { variants } = options;
  if (options.loose !== true) return readShaped(value, shape, { variants });
  const accept = (misfit: Misfit) => report('misfit', shapeMisfitText(what, misfit), undefined, bus.connectionId);
  return readShaped(value, shape, { variants, accept });
}

/**
 * Decodes values of which some have shapes.
 *
 * @param refuse called with what is wrong, and the index of the value. Descriptors are closed before
 */
export function decodeShaped(
  remote: Remote,
  body: Body,
  args: readonly ArgumentDescription[],
  what: string,
  refuse: (misfit: Misfit, index: number) => never,
): unknown[] {
  const { options } = remote;
  const values = body.decode(decodingOfShaped(options));
  let index = 0;
  try {
    return args.map(({ shape, signature }, at) => {
      index = at;
      const value = values[at];
      return shape === undefined
        ? takenAs(value, signature, options.variants)
        : readShape(remote, shape, value, args.length === 1 ? what : `${what}[${at}]`);
    });
  } catch (error) {
    closeDescriptors(values);
    if (error instanceof Misfit) return refuse(error, index);
    throw error;
  }
}
