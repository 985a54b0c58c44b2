/**
 * The codec of busbar: bodies are written into reused memory, after heads that were marshalled before, and read where they
 * arrived. By then the addon has validated them, which is not part of these times.
 */
import { decoderFor } from '../../src/codec/decoder.ts';
import { encoderFor } from '../../src/codec/encoder.ts';
import { Reader } from '../../src/codec/reader.ts';
import { Writer } from '../../src/codec/writer.ts';
import { MessageType } from '../../src/connection/message.ts';
import { finishMessage, PreparedHead } from '../../src/connection/sending/header.ts';
import { Variant } from '../../src/values/variant.ts';

/** @type {import('./peer.mjs').Codec} */
export const codec = {
  variant: (signature, value) => new Variant(signature, value),
  dictionary: Object.fromEntries,
  encoder(signature, values) {
    const writer = new Writer();
    return () => {
      writer.reset();
      encoderFor(signature)(writer, values);
      return writer.bytes.subarray(0, writer.position);
    };
  },
  callEncoder(head, values) {
    const writer = new Writer();
    const prepared = new PreparedHead({ type: MessageType.MethodCall, ...head });
    let serial = 0;
    return () => {
      writer.reset();
      const start = writer.beginMessage();
      prepared.write(writer, ++serial, 0);
      const bodyStart = writer.position;
      encoderFor(head.signature)(writer, values);
      finishMessage(writer, start, bodyStart);
    };
  },
  decoder(signature, bytes) {
    const memory = new ArrayBuffer((bytes.length + 7) & -8);
    new Uint8Array(memory).set(bytes);
    const reader = new Reader(memory);
    return () => decoderFor(signature)(reader.open(0, bytes.length));
  },
};
