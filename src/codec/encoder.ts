/**
 * Encodes values into bytes. An encoder is compiled for a signature: each type becomes a function that writes its
 * values and calls the functions of the types within it. As with decoders, the encoder of a signature is cached after
 * several uses. Until then, types are compiled only as far as the values need them, because a peer may have chosen the
 * types of what is sent.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */

import { BoundedCache } from '../base/bounded-cache.js';
import { InvalidArgumentError } from '../base/errors.js';
import { isArray } from '../base/revoked.js';
import { checkSignature, endOfType } from '../signature/grammar.js';
import { compile } from './encode-type.js';
import { DEPTH_MAXIMUM, tooDeepText } from './limits.js';
import { Misfit, misfitOf } from './misfit.js';
import type { ValueEncoder } from './value-codec.js';
import { valueRefusal } from './value-refusal.js';
import type { Writer } from './writer.js';

/**
 * Writes the values of a body at the position of the writer, which must be a multiple of 8. If it throws, the writer
 * contains a part of the body, and the caller must rewind it.
 *
 * @throws {@link InvalidArgumentError} with the path to the value that does not match its type
 */
export type Encoder = (writer: Writer, values: readonly unknown[]) => void;

const encoders = new BoundedCache<Encoder>();

/**
 * Returns the encoder for the values of a signature.
 *
 * @throws {@link InvalidArgumentError} for an invalid signature
 */
export function encoderFor(signature: string): Encoder {
  return encoders.get(signature) ?? newEncoder(signature);
}

function newEncoder(signature: string): Encoder {
  const { depth } = checkSignature(signature);
  if (depth > DEPTH_MAXIMUM) {
    throw new InvalidArgumentError(`signature "${signature}" nests ${depth} containers; D-Bus allows 64`);
  }
  if (!encoders.isFamiliar(signature)) return compileBody(signature, depth, true);
  return encoders.add(signature, compileBody(signature, depth, false));
}

/** @param depth the number of nested containers in the signature */
function compileBody(signature: string, depth: number, lazily: boolean): Encoder {
  const writeArguments: ValueEncoder[] = [];
  for (let at = 0; at < signature.length; at = endOfType(signature, at)) {
    writeArguments.push(compile(signature, at, 0, lazily));
  }
  const count = writeArguments.length;
  return (writer, values) => {
    checkValues(values);
    if (values.length !== count) {
      const expected = `${count} argument${count === 1 ? '' : 's'}`;
      const got = `expected ${expected} for the signature "${signature}", got ${values.length}`;
      throw new InvalidArgumentError(got);
    }
    if (depth > writer.depthMaximum) throw new InvalidArgumentError(tooDeepText(writer.depthMaximum));
    writer.depth = 0;
    let index = 0;
    let value: unknown;
    try {
      for (; index < count; index++) {
        value = values[index];
        (writeArguments[index] as ValueEncoder)(writer, value);
      }
    } catch (error) {
      const located = misfitOf(value, error);
      throw located instanceof Misfit ? valueRefusal(located, `argument ${index}`, index) : located;
    }
  };
}

function checkValues(values: unknown): void {
  if (!isArray(values)) throw new InvalidArgumentError('the values of a message must be an array');
}
