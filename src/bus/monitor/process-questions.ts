/** The questions of a monitor about processes. The program's connection asks them, and the monitor does not show them. */
import type { Inbox } from '../../connection/receiving/inbox.js';
import { callerCredentials } from '../callers/caller-credentials.js';
import { BUS_NAME, BusDriver } from '../names/driver.js';
import type { MonitoredBus } from './monitor.js';
import type { MonitoredProcess } from './monitored-peers.js';

/** Milliseconds that messages wait for an answer at most. */
const TIMEOUT = 2000;

export class ProcessQuestions {
  readonly #bus: MonitoredBus;
  /** The serials of the calls that the monitor will receive. */
  readonly #calls = new Set<number>();
  /** The serials of the calls whose replies it will receive. */
  readonly #replies = new Set<number>();

  constructor(bus: MonitoredBus) {
    this.#bus = bus;
  }

  /** Resolves with the process of a unique name, if the peer still exists. Never rejects. */
  async ask(name: string): Promise<MonitoredProcess | undefined> {
    const connection = this.#bus.connection();
    const driver = new BusDriver(connection, undefined, (serial) => {
      this.#calls.add(serial);
      this.#replies.add(serial);
    });
    try {
      const known = await callerCredentials(connection, name, this.#bus.uniqueName(), { timeout: TIMEOUT }, driver);
      const { pid, uid, comm, unit, userUnit } = known;
      return { pid, uid, comm, unit, userUnit };
    } catch {
      // The peer has left, or the program's connection has ended.
      return undefined;
    }
  }

  /** Whether a message is a question or an answer. Each comes once. */
  isQuestion({ sender, destination, serial, replySerial }: Inbox): boolean {
    const uniqueName = this.#bus.uniqueName();
    if (sender === uniqueName && destination === BUS_NAME) return this.#calls.delete(serial);
    return sender === BUS_NAME && destination === uniqueName && this.#replies.delete(replySerial);
  }
}
