/**
 * Has all readers read the same corpora, and counts how often they agree: busbar on both transports, its check of whole
 * messages, and the other implementations on this machine. Messages that the others write are read in turn.
 */
import {
  differencesOfTransports,
  differencesOfValues,
  differencesToCheck,
  differencesToOthers,
  Tally,
} from './comparison.js';
import type { Corpus, CorpusMessage } from './corpus.js';
import { otherReaders, type ProgramReader, wireCheck } from './readers/index.js';
import { readByProgram } from './readers/program-reader.js';
import { isSound, type Reading } from './reading.js';
import { TransportReader } from './transport-reader.js';

/** The results of a corpus. */
export interface CorpusResult {
  readonly corpus: Corpus;
  /** By reader and by writer. Some readers occur more than once, with the messages that were written again. */
  readonly tallies: readonly Tally[];
}

/** The readings of busbar for the messages of a corpus. */
interface OwnReadings {
  readonly check: readonly Reading[];
  readonly socket: readonly Reading[];
}

/** `await using differential = await Differential.start(readers)` */
export class Differential implements AsyncDisposable {
  readonly #socket: TransportReader;
  readonly #sdbus: TransportReader;
  readonly #others: readonly ProgramReader[];

  static async start(others: readonly ProgramReader[] = otherReaders): Promise<Differential> {
    const [socket, sdbus] = await Promise.all([TransportReader.start('socket'), TransportReader.start('sd-bus')]);
    return new Differential(socket, sdbus, others);
  }

  private constructor(socket: TransportReader, sdbus: TransportReader, others: readonly ProgramReader[]) {
    this.#socket = socket;
    this.#sdbus = sdbus;
    this.#others = others.filter(({ missing }) => missing === undefined);
  }

  /** Compares the transports, the readings of all other readers, and busbar's readings of the messages that they write. */
  async compare(corpus: Corpus): Promise<CorpusResult> {
    const { tallies, own } = await this.#compareTransports(corpus.messages);
    for (const reader of this.#others) {
      const tally = new Tally(reader.name);
      const read = await this.#compareOther(reader, corpus, own, tally);
      tallies.push(tally, ...(await this.#readAgain(reader.name, read)));
    }
    return { corpus, tallies };
  }

  /** Compares the transports with each other, and one of them with the check. */
  async compareTransports(corpus: Corpus): Promise<CorpusResult> {
    const { tallies } = await this.#compareTransports(corpus.messages);
    return { corpus, tallies };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket[Symbol.asyncDispose]();
    await this.#sdbus[Symbol.asyncDispose]();
  }

  async #compareTransports(messages: readonly CorpusMessage[]): Promise<{ tallies: Tally[]; own: OwnReadings }> {
    const [check, socket, sdbus] = await Promise.all([
      readByProgram(wireCheck.command(), messages),
      this.#socket.readAll(messages),
      this.#sdbus.readAll(messages),
    ]);
    const bySocket = new Tally('busbar over a socket');
    const bySdbus = new Tally('busbar over sd-bus');
    messages.forEach((message, index) => {
      const readings = { check: at(check, index), ours: at(socket, index), theirs: at(sdbus, index) };
      // The check sees no descriptors.
      if (message.fds === undefined) {
        const { check: ours, ours: theirs } = readings;
        bySocket.add(differencesToCheck(message, ours, theirs), { message, check: ours, ours, theirs });
      }
      bySdbus.add(differencesOfTransports(readings.ours, readings.theirs), { message, ...readings });
    });
    return { tallies: [bySocket, bySdbus], own: { check, socket } };
  }

  /** Returns the messages on whose verdict the reader agrees with busbar, with the messages that it wrote of them. */
  async #compareOther(
    { command, readsBroken }: ProgramReader,
    { messages, mostlyBroken }: Corpus,
    { check, socket }: OwnReadings,
    tally: Tally,
  ): Promise<readonly Rewritten[]> {
    const wanted = [...messages.keys()].filter(
      (index) => readsBroken || mostlyBroken !== true || isSound(at(check, index)),
    );
    const readings = await readByProgram(
      command(),
      wanted.map((index) => messages[index] as CorpusMessage),
    );
    return wanted.flatMap((index, order) => {
      const [message, theirs] = [messages[index] as CorpusMessage, at(readings, order)];
      const [verdict, ours] = [at(check, index), at(socket, index)];
      const whats = differencesToOthers(verdict, ours, theirs);
      tally.add(whats, { message, check: verdict, ours, theirs });
      // The programs get no descriptors, so they write none.
      const isRewritten = whats.length === 0 && isSound(ours) && message.fds === undefined;
      return isRewritten ? [{ message, ours, written: theirs.written }] : [];
    });
  }

  /** How the messages of a writer differ from those it should write, and how the transports read them. */
  async #readAgain(writer: string, rewritten: readonly Rewritten[]): Promise<Tally[]> {
    const tally = new Tally(`messages written by ${writer}`);
    const messages = rewritten.map(({ message, written = '' }): CorpusMessage => {
      return { name: `written by ${writer}: ${message.name}`, bytes: Buffer.from(written, 'hex') };
    });
    // Otherwise it would wait for ever.
    const { tallies, own } = await this.#compareTransports(messages.filter(({ bytes }) => bytes.length > 0));
    let next = 0;
    rewritten.forEach(({ ours }, index) => {
      const message = messages[index] as CorpusMessage;
      const theirs = message.bytes.length === 0 ? UNWRITTEN : at(own.socket, next++);
      tally.add(differencesOfValues(ours, theirs), { message, check: SOUND, ours, theirs });
    });
    return [tally, ...tallies];
  }
}

interface Rewritten {
  readonly message: CorpusMessage;
  readonly ours: Reading;
  readonly written: string | undefined;
}

const SOUND: Reading = { outcome: 'message', because: 'no rule is broken' };
const UNWRITTEN: Reading = { outcome: 'nothing', because: 'it was not written' };

function at(readings: readonly Reading[], index: number): Reading {
  return readings[index] as Reading;
}
