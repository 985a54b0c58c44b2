/**
 * The connections of a monitored bus: the well-known names of each, as the stream of messages tells them, and the process
 * behind it, which another connection asks for.
 */
import { BUS_NAME } from '../names/driver.js';

/** The process of a connection, as far as the bus and `/proc` tell it. */
export interface MonitoredProcess {
  /** The process id; `undefined` if the bus does not know it. */
  readonly pid: number | undefined;
  /** The user id; `undefined` if the bus does not know it. */
  readonly uid: number | undefined;
  /** The name of the process, as `ps -o comm` prints it; a process may change it. `undefined` if it is not certain. */
  readonly comm: string | undefined;
  /** The systemd unit, as in {@link CallerCredentials.unit}. */
  readonly unit: string | undefined;
  /** The unit of the user's manager, as in {@link CallerCredentials.userUnit}. */
  readonly userUnit: string | undefined;
}

/** The sender or the receiver of a monitored message, as it was known when the message arrived. */
export interface MonitoredPeer {
  /** The unique name; `org.freedesktop.DBus` for the bus itself; the well-known name if it has no owner. */
  readonly name: string;
  /** The well-known names that it owned, in the order in which it got them. */
  readonly names: readonly string[];
  /** Its process; `undefined` without the option `processes`, or if the peer had left before it could be asked for. */
  readonly process: MonitoredProcess | undefined;
}

interface KnownPeer extends MonitoredPeer {
  process: MonitoredProcess | undefined;
}

/** A connection, whose snapshot is replaced when its names change. */
interface Entry {
  latest: KnownPeer;
  /** The snapshots that wait for the answer about the process; `undefined` when it has come. */
  waiting: KnownPeer[] | undefined;
  answer: Promise<void> | undefined;
}

const NO_NAMES: readonly string[] = Object.freeze([]);

export class MonitoredPeers {
  readonly #owners = new Map<string, string>();
  readonly #entries = new Map<string, Entry>();
  readonly #bus = Object.freeze({ name: BUS_NAME, names: Object.freeze([BUS_NAME]), process: undefined });
  readonly #ask: ((name: string) => Promise<MonitoredProcess | undefined>) | undefined;

  /** @param ask asks for the process of a unique name, and never rejects; without it no process is known */
  constructor(ask: ((name: string) => Promise<MonitoredProcess | undefined>) | undefined) {
    this.#ask = ask;
  }

  /** The unique name of the owner of a well-known name. */
  ownerOf(name: string): string | undefined {
    return this.#owners.get(name);
  }

  /** Notes the owner of a well-known name, or that a unique name has left. */
  setOwner(name: string, owner: string): void {
    if (name === BUS_NAME) return;
    if (name.startsWith(':')) {
      if (owner === '') this.#entries.delete(name);
      return;
    }
    const previous = this.#owners.get(name);
    if (previous === owner) return;
    if (previous !== undefined) this.#rename(previous, (names) => names.filter((other) => other !== name));
    if (owner === '') this.#owners.delete(name);
    else {
      this.#owners.set(name, owner);
      this.#rename(owner, (names) => [...names, name]);
    }
  }

  /** The peer with a unique or well-known name. */
  find(name: string | undefined): MonitoredPeer | undefined {
    if (name === undefined) return undefined;
    if (name === BUS_NAME) return this.#bus;
    const owner = name.startsWith(':') ? name : this.#owners.get(name);
    if (owner === undefined) return { name, names: NO_NAMES, process: undefined };
    return this.#entry(owner).latest;
  }

  /** Resolves when the processes of these peers are known, or cannot be known; `undefined` if that is so already. */
  untilKnown(...peers: readonly (MonitoredPeer | undefined)[]): Promise<unknown> | undefined {
    if (this.#ask === undefined) return undefined;
    const answers = peers.flatMap((peer) => {
      const entry = peer && this.#entries.get(peer.name);
      return entry?.waiting === undefined ? [] : [entry.answer];
    });
    return answers.length === 0 ? undefined : Promise.all(answers);
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    const latest: KnownPeer = { name, names: NO_NAMES, process: undefined };
    entry = { latest, waiting: undefined, answer: undefined };
    this.#entries.set(name, entry);
    if (this.#ask !== undefined) {
      entry.waiting = [latest];
      entry.answer = this.#ask(name).then((process) => answered(entry, process));
    }
    return entry;
  }

  #rename(owner: string, change: (names: readonly string[]) => readonly string[]): void {
    const entry = this.#entry(owner);
    const { name, names, process } = entry.latest;
    entry.latest = { name, names: Object.freeze(change(names)), process };
    entry.waiting?.push(entry.latest);
  }
}

function answered(entry: Entry, process: MonitoredProcess | undefined): void {
  for (const peer of entry.waiting ?? []) peer.process = process;
  entry.waiting = undefined;
}
