/**
 * The connection of a monitor. First it learns the names on the bus, as an ordinary connection. After the bus has made it
 * a monitor, it sends nothing, because a bus disconnects monitors that do.
 */
import { AccessDeniedError, NotSupportedError, UnknownInterfaceError, UnknownMethodError } from '../../base/errors.js';
import type { Connection } from '../../connection/connection.js';
import type { Inbox } from '../../connection/receiving/inbox.js';
import { TimeLimit } from '../../connection/time-limit.js';
import type { WaitLimits } from '../../connection/wait-limits.js';
import { BUS_NAME, BusDriver, isBusSignal } from '../names/driver.js';
import { formatMatchRule } from '../rules/match-rule.js';
import { NAME_CHANGE, NAME_CHANGES } from './monitor-rules.js';
import type { MonitoredPeers } from './monitored-peers.js';

export class MonitorSource {
  readonly #connection: Connection;
  readonly #peers: MonitoredPeers;
  readonly #take: (received: Inbox) => void;
  readonly #letEnd: () => void;
  #ownName = '';
  #isMonitor = false;

  /** @param take called with every message that the monitor gets, while the peers have the names of that moment */
  constructor(connection: Connection, peers: MonitoredPeers, take: (received: Inbox) => void) {
    this.#connection = connection;
    this.#peers = peers;
    this.#take = take;
    // The loop over its messages waits for it.
    this.#letEnd = connection.keepAlive.hold();
    connection.onMessage = (received) => this.#receive(received);
    connection.onReply = (received) => this.#receive(received);
  }

  /** Whether the bus has made the connection a monitor. */
  get isMonitor(): boolean {
    return this.#isMonitor;
  }

  /** The number of the connection in diagnostics. */
  get id(): number {
    return this.#connection.id;
  }

  /**
   * @param rules which messages to get; all without any
   * @throws (rejects) {@link NotSupportedError} if the bus has no monitors, {@link AccessDeniedError} if it refuses
   */
  async become(rules: readonly string[], limits: WaitLimits): Promise<void> {
    const driver = new BusDriver(this.#connection);
    this.#ownName = await driver.hello(limits);
    this.#connection.uniqueName = this.#ownName;
    const follow = driver.addMatch(formatMatchRule(NAME_CHANGES));
    const names = (await driver.names('ListNames', limits)).filter((name) => !name.startsWith(':'));
    const owners = names.map((name) => {
      const note = (owner: string) => this.#peers.setOwner(name, owner);
      // A name that has lost its owner meanwhile has an error.
      return driver.tellNameOwner(name, note, () => {}).catch(() => {});
    });
    await Promise.all([follow, ...owners]);
    const begin = () => {
      this.#isMonitor = true;
    };
    try {
      await driver.becomeMonitor(rules, begin, limits);
    } catch (error) {
      throw reasonOf(error);
    }
  }

  end(): void {
    this.#letEnd();
    void this.#connection.close(new TimeLimit(0));
  }

  #receive(received: Inbox): void {
    const { destination, sender } = received;
    const isChange = isBusSignal(received, NAME_CHANGE, 'sss') && !received.isFaulty;
    const changed = isChange ? received.stringAt(0) : undefined;
    // The bus answers, and takes the name of the connection away.
    const isForMonitor = sender === BUS_NAME && (destination === this.#ownName || changed === this.#ownName);
    // A peer that leaves is known while the message about it is taken.
    if (this.#isMonitor && !isForMonitor) this.#take(received);
    if (changed !== undefined) this.#peers.setOwner(changed, received.stringAt(2));
  }
}

/** Tells what a refusal means for a monitor. */
function reasonOf(error: unknown): unknown {
  if (error instanceof UnknownMethodError || error instanceof UnknownInterfaceError) {
    const text = 'the bus cannot be monitored: it has no BecomeMonitor, which dbus-daemon has since 1.9.10';
    return new NotSupportedError(text, { cause: error });
  }
  if (!(error instanceof AccessDeniedError)) return error;
  const cure = 'the system bus accepts only root as a monitor, unless its policy allows others';
  return new AccessDeniedError(`the bus refuses to be monitored: ${error.message}; ${cure}`, { cause: error });
}
