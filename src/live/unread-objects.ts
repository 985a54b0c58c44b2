/**
 * The objects of a reply that the program has not used yet. They are kept as the bytes that the service sent, and an
 * object is decoded when it is used: most programs use few objects of many, and values take several times the memory of
 * their bytes.
 */
import { decoderFor } from '../codec/decoder.js';
import type { Reader } from '../codec/reader.js';
import type { ReplyBody } from '../connection/sending/pending-calls.js';
import type { Sent } from './property-values.js';

/** The properties of an object by the names of its interfaces. */
export type SentInterfaces = Readonly<Record<string, Sent>>;

export class UnreadObjects {
  readonly #reader: Reader;

  /**
   * @param reply has the signature `a{oa{sa{sv}}}`
   * @param found gets the path of each object, and the position by which {@link read} finds it
   */
  constructor(reply: ReplyBody, found: (path: string, position: number) => void) {
    const reader = reply.copy();
    this.#reader = reader;
    const end = reader.beginArray(8);
    while (reader.position < end) {
      reader.align(8);
      const path = reader.string();
      const { position } = reader;
      reader.position = reader.beginArray(8);
      found(path, position);
    }
  }

  /**
   * Decodes an object.
   *
   * @throws {@link DBusError} if the service made values that are refused
   */
  read(position: number): SentInterfaces {
    const reader = this.#reader;
    // Opened again: an object that was refused left the reader inside its values.
    reader.open(reader.start, reader.end - reader.start).position = position;
    return decoderFor('a{sa{sv}}', { variants: 'wrap' })(reader)[0] as SentInterfaces;
  }
}
