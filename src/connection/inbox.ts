/**
 * The receiving half of the seam: memory lent to the addon, and messages read back from its rows.
 *
 * The memory belongs to the connection for its whole life. A message's body is only at hand until the batch that
 * brought it has been handled; see `IncomingMessage.release`.
 */
import { Reader } from '../codec/reader.js';
import { Column, type InboxMemory, ROW_LENGTH } from '../native/binding.js';
import { IncomingMessage, type MessageType } from './message.js';

const ARENA_BYTES = 256 * 1024;
const ROWS = 256;
const STRINGS = 2048;
/** sd-bus and the kernel carry at most 253 descriptors in one go, sd-bus accepts up to 1024 a message. */
const FDS = 1024;

const WORDS_PER_STRING = 3;

export class Inbox {
  readonly memory: InboxMemory = {
    arena: new ArrayBuffer(ARENA_BYTES),
    rows: new Int32Array(ROWS * ROW_LENGTH),
    strings: new Int32Array(STRINGS * WORDS_PER_STRING),
    fds: new Int32Array(FDS),
  };
  readonly #bytes = Buffer.from(this.memory.arena);
  readonly #reader = new Reader(this.memory.arena);
  readonly #strings: (string | undefined)[] = [undefined];

  /** Learns the header strings that are new in a batch. */
  intern(count: number): void {
    const { strings } = this.memory;
    for (let at = 0; at < count * WORDS_PER_STRING; at += WORDS_PER_STRING) {
      const offset = strings[at + 1] as number;
      this.#strings[strings[at] as number] = this.#bytes.toString('utf8', offset, offset + (strings[at + 2] as number));
    }
  }

  type(row: number): MessageType {
    return this.memory.rows[row * ROW_LENGTH + Column.Type] as MessageType;
  }

  /** The message of a row; its body is in `large` where that is given. */
  message(row: number, large: ArrayBuffer | undefined): IncomingMessage {
    const { rows, fds } = this.memory;
    const at = row * ROW_LENGTH;
    const string = (column: number) => this.#strings[rows[at + column] as number];
    const fdOffset = rows[at + Column.FdOffset] as number;
    const fdCount = rows[at + Column.FdCount] as number;
    const replySerial = (rows[at + Column.ReplySerial] as number) >>> 0;
    return new IncomingMessage(
      {
        type: rows[at + Column.Type] as MessageType,
        flags: rows[at + Column.Flags] as number,
        serial: (rows[at + Column.Serial] as number) >>> 0,
        replySerial: replySerial === 0 ? undefined : replySerial,
        path: string(Column.Path),
        interface: string(Column.Interface),
        member: string(Column.Member),
        errorName: string(Column.ErrorName),
        destination: string(Column.Destination),
        sender: string(Column.Sender),
        signature: string(Column.Signature) ?? '',
      },
      {
        reader: large === undefined ? this.#reader : new Reader(large),
        offset: rows[at + Column.BodyOffset] as number,
        length: rows[at + Column.BodyLength] as number,
        fds: fdCount === 0 ? none : Array.from(fds.subarray(fdOffset, fdOffset + fdCount)),
        fault: rows[at + Column.Fault] as number,
      },
    );
  }
}

const none: readonly number[] = [];
