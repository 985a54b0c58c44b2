/**
 * Clients that were accepted and have not authenticated yet. They are limited in number and time: where all places are
 * taken nobody else is accepted, and further clients wait in the queue of the kernel, so none that speaks is thrown out.
 *
 * Silence must not keep others waiting for long. Every client of D-Bus speaks first, as soon as it is connected. So while
 * others wait, a client that has said nothing for a while gives its place up. That while is the part of the authentication
 * time by which a whole queue of silent clients (4096, with 64 places) passes within that time.
 */

import { Connection } from '../connection/connection.js';
import { errnoText } from '../connection/errno.js';
import type { CompleteLimits } from '../connection/limits.js';
import { timeLimit } from '../connection/time-limit.js';
import { report, trace } from '../diagnostics/problems.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';

/** The part of the authentication time after which silent clients are looked for, twice at the most. */
const SILENCE_SHARE = 1 / 128;
/** Milliseconds: an honest client may be late by so much, and no authentication time makes silence last longer. */
const SILENCE_MINIMUM = 50;
const SILENCE_MAXIMUM = 1000;

export interface HalfOpenOptions {
  /** What each server says that it is: 16 bytes. */
  readonly guid: Uint8Array;
  /** Milliseconds that each client has, from its acceptance on. */
  readonly timeout: number;
  readonly anonymous: boolean;
  readonly poller: PollerKind;
  readonly transport: TransportKind;
  readonly limits: CompleteLimits;
  /** Called when a place was taken or given back. */
  readonly onChange: () => void;
  /** Whether clients wait to be accepted. */
  readonly isAwaited: () => boolean;
}

/** A client that was accepted, and what decides about it. */
export interface Applicant {
  readonly fd: number;
  /** Asked before the client can say a word. Does not throw or reject. */
  readonly allow: () => boolean | Promise<boolean>;
  /** Gets the connection before anything that the client says is dispatched; its place is given back after that. */
  readonly welcome: (connection: Connection) => void;
}

/** The place of one client. */
class Place {
  readonly takenAt = performance.now();
  connection: Connection | undefined;
  /** Why it was taken away, in words. */
  lostBy: string | undefined;
  readonly whenLost: Promise<false>;
  #tellLost!: (lost: false) => void;

  constructor() {
    this.whenLost = new Promise((resolve) => {
      this.#tellLost = resolve;
    });
  }

  get age(): number {
    return performance.now() - this.takenAt;
  }

  get isLost(): boolean {
    return this.lostBy !== undefined;
  }

  lose(reason: string): void {
    this.lostBy = reason;
    this.#tellLost(false);
    this.connection?.giveUp();
  }
}

export class HalfOpen {
  readonly #options: HalfOpenOptions;
  /** In the order in which they were taken. */
  readonly #places = new Set<Place>();
  readonly #silence: number;
  #watch: NodeJS.Timeout | undefined;

  constructor(options: HalfOpenOptions) {
    this.#options = options;
    this.#silence = Math.min(Math.max(options.timeout * SILENCE_SHARE, SILENCE_MINIMUM), SILENCE_MAXIMUM);
  }

  get size(): number {
    return this.#places.size;
  }

  /** Lets a client authenticate, if it is allowed to. It has a place, and owns its socket, from this call on. */
  async admit({ fd, allow, welcome }: Applicant): Promise<void> {
    const place = new Place();
    this.#places.add(place);
    this.#options.onChange();
    try {
      if (!(await this.#isAllowed(place, allow))) {
        loadAddon().closeFd(fd);
        return;
      }
      const connection = await this.#authenticate(place, fd);
      if (connection === undefined) return;
      if (place.isLost) await connection.close();
      else welcome(connection);
    } finally {
      this.#places.delete(place);
      this.#options.onChange();
    }
  }

  /** Takes the places of silent clients from them for as long as all places are taken. */
  holdCrowded(isCrowded: boolean): void {
    if (isCrowded === (this.#watch !== undefined)) return;
    clearInterval(this.#watch);
    this.#watch = isCrowded ? setInterval(() => this.#loseSilent(), this.#silence) : undefined;
    this.#watch?.unref();
  }

  /** Turns all of them away. */
  close(): void {
    for (const place of this.#places) place.lose('the server was closed');
    this.holdCrowded(false);
  }

  /** No further than the authentication time goes. */
  async #isAllowed(place: Place, allow: () => boolean | Promise<boolean>): Promise<boolean> {
    const answer = allow();
    if (typeof answer === 'boolean') return answer && !place.isLost;
    const { timeout } = this.#options;
    const { promise, stop } = timeLimit(timeout, false);
    const allowed = await Promise.race([answer, place.whenLost, promise]);
    stop();
    if (allowed === undefined)
      report('peer', `a client was turned away: \`allow\` has not settled within ${timeout} ms`);
    return allowed === true && !place.isLost;
  }

  async #authenticate(place: Place, fd: number): Promise<Connection | undefined> {
    const { anonymous, guid, limits, poller, transport } = this.#options;
    const timeout = this.#timeLeft(place);
    const serve = { fd, guid };
    const { connection, opened } = Connection.serve({
      ...{ address: '', peer: true, serve, anonymous, limits, poller, timeout, transport },
    });
    place.connection = connection;
    const failure = await opened;
    if (failure === undefined) return connection;
    trace('peer: did not authenticate: %s', place.lostBy ?? (failure.detail || errnoText(failure.errno)));
    return undefined;
  }

  /** The rest of the time; all of it if there is no rest, because then the event loop was blocked while `allow` decided. */
  #timeLeft({ age }: Place): number {
    const { timeout } = this.#options;
    return age < timeout ? timeout - age : timeout;
  }

  #loseSilent(): void {
    if (!this.#options.isAwaited()) return;
    for (const place of this.#places) {
      if (place.age < this.#silence) break;
      if (place.connection?.isSilent === true) place.lose('said nothing while others waited');
    }
  }
}
