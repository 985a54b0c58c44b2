/** An outlet for exported objects that records everything; and the context of a call without a caller. */
import { decoderFor } from '../../src/codec/decoder.js';
import { encoderFor } from '../../src/codec/encoder.js';
import { Reader } from '../../src/codec/reader.js';
import { Writer } from '../../src/codec/writer.js';
import type { MessageHead } from '../../src/connection/message.js';
import type { CallContext } from '../../src/service/calls/call-context.js';
import { Barrier } from '../../src/service/objects/barrier.js';
import { type Exportable, exportableOf } from '../../src/service/objects/exportable.js';
import type { ExportedObject } from '../../src/service/objects/exports.js';
import { type Outgoing, Place } from '../../src/service/objects/place.js';

/** The records of an outlet: a signal's values, or the changes of properties. */
export type Recorded =
  | { readonly signal: string; readonly values: readonly unknown[] }
  | { readonly changed: Record<string, unknown>; readonly invalidated: readonly string[] };

export class RecordingOutlet implements Outgoing {
  readonly recorded: Recorded[] = [];
  readonly barrier: Barrier;
  readonly bus = { isPeer: false };
  readonly descriptors = 16;
  readonly #fail: (() => never) | undefined;
  #first: (() => void) | undefined;

  /** @param fail throws the error that sending should throw */
  constructor(fail?: () => never) {
    this.#fail = fail;
    const sendFirst = (send: (() => void) | undefined) => {
      this.#first = send;
    };
    this.barrier = new Barrier({ isMarshalling: false, sendFirst });
  }

  /** Exports an object here, until the returned function is called. */
  attachTo(object: ExportedObject | Exportable): () => void {
    const exportable = 'properties' in object && 'prepare' in object ? object : exportableOf(object as ExportedObject);
    exportable.prepare();
    const { places } = exportable.properties;
    const place = new Place('/recorded', exportable, this, []);
    places.add(place);
    return () => places.delete(place);
  }

  tell(head: MessageHead, body: readonly unknown[]): void {
    this.#first?.();
    this.#fail?.();
    const values = decoded(head.signature ?? '', body);
    if (head.member === 'PropertiesChanged') {
      const [, changed, invalidated] = values as [string, Record<string, unknown>, string[]];
      this.recorded.push({ changed, invalidated });
    } else {
      this.recorded.push({ signal: head.member ?? '', values });
    }
  }

  /** The records since the last time, once everything in this tick has happened. */
  async settled(): Promise<readonly Recorded[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.recorded.splice(0);
  }
}

/** Values as receivers get them. */
function decoded(signature: string, body: readonly unknown[]): unknown[] {
  const writer = new Writer();
  writer.beginMessage();
  encoderFor(signature)(writer, body);
  // Descriptors would have to be received to be read.
  if (writer.fds.length > 0) return [...body];
  const memory = writer.bytes.buffer as ArrayBuffer;
  return decoderFor(signature, undefined)(new Reader(memory).open(0, writer.position));
}

export function callContext(sender?: string): CallContext {
  return {
    sender,
    path: '/',
    interface: undefined,
    member: 'Member',
    flags: 0,
    fileDescriptors: [],
    signal: new AbortController().signal,
    decode: () => {
      throw new Error('there is no message');
    },
    authorize: () => Promise.reject(new Error('there is no bus')),
    caller: {
      name: sender,
      left: new AbortController().signal,
      credentials: () => Promise.reject(new Error('there is no bus')),
      track: () => {
        throw new Error('there is no bus');
      },
    },
  };
}

/** A recorded change of properties. */
export function changed(values: Record<string, unknown>, ...invalidated: string[]) {
  return [{ changed: values, invalidated }];
}
