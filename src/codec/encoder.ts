/**
 * Values to bytes. An encoder is compiled once for a signature: each type becomes a function that writes its values,
 * made of the functions of the types within.
 *
 * @see D-Bus specification, section "Marshaling (Wire Format)"
 */

import { BoundedCache } from '../bounded-cache.js';
import { InvalidArgumentError, notAnAnswer } from '../errors.js';
import { parseSignature, type Type } from '../signature/parse.js';
import { basicEncoders } from './encode-basic.js';
import { encodeArray, encodeDictionary, encodeNumbers, encodeStruct } from './encode-container.js';
import { encodeVariant } from './encode-variant.js';
import { DEPTH_MAXIMUM } from './limits.js';
import { Misfit, within } from './misfit.js';
import type { Writer } from './writer.js';

/**
 * Writes the values of a body at the writer's position, which must be a multiple of 8. After it threw, the writer has
 * part of the body: rewind it.
 *
 * @throws {@link InvalidArgumentError} with the path to the value that does not fit
 */
export type Encoder = (writer: Writer, values: readonly unknown[]) => void;

/** Writes a value of one type, or throws a {@link Misfit}. */
export type ValueEncoder = (writer: Writer, value: unknown) => void;

const encoders = new BoundedCache<Encoder>();

/**
 * The encoder for the values of a signature.
 *
 * @throws {@link InvalidArgumentError} for an invalid signature
 */
export function encoderFor(signature: string): Encoder {
  return encoders.get(signature) ?? encoders.add(signature, compileBody(signature));
}

function compileBody(signature: string): Encoder {
  const types = parseSignature(signature);
  for (const type of types) {
    if (type.depth > DEPTH_MAXIMUM) {
      throw new InvalidArgumentError(`signature "${signature}" nests ${type.depth} containers, and D-Bus allows 64`);
    }
  }
  const count = types.length;
  const writeArguments = types.map((type) => compile(type, 0));
  return (writer, values) => {
    if (!Array.isArray(values)) throw new InvalidArgumentError('the values of a message must be an array');
    if (values.length !== count) {
      const expected = `${count} argument${count === 1 ? '' : 's'}`;
      const got = `expected ${expected} for the signature "${signature}", got ${values.length}`;
      throw notAnAnswer(new InvalidArgumentError(got));
    }
    writer.depth = 0;
    let index = 0;
    try {
      for (; index < count; index++) (writeArguments[index] as ValueEncoder)(writer, values[index]);
    } catch (error) {
      const located = within(`argument ${index}`, error);
      throw located instanceof Misfit ? notAnAnswer(new InvalidArgumentError(located.message)) : located;
    }
  };
}

/**
 * The function that writes values of a type.
 *
 * @param nesting how many containers of its signature the type is in
 */
export function compile(type: Type, nesting: number): ValueEncoder {
  switch (type.code) {
    case 'v':
      return encodeVariant(nesting);
    case '(':
      return encodeStruct(
        type,
        type.fields.map((field) => compile(field, nesting + 1)),
      );
    case 'a': {
      const { element, signature } = type;
      if (element.code === '{') {
        const writeValue = compile(element.value, nesting + 2);
        return encodeDictionary(signature, element, basicEncoders[element.key.code], writeValue);
      }
      const writeElement = compile(element, nesting + 1);
      return encodeNumbers(signature, element, writeElement) ?? encodeArray(signature, element, writeElement);
    }
    default:
      return basicEncoders[type.code];
  }
}
