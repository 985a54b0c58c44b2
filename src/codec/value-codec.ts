/** The types of the functions that decoders and encoders are composed of. */
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** Reads a value of one type. */
export type ValueDecoder = (reader: Reader) => unknown;

/** Writes a value of one type, or throws a `Misfit`. */
export type ValueEncoder = (writer: Writer, value: unknown) => void;
