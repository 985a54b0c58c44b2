/**
 * Clients that were accepted and have not authenticated yet. Their number and time are limited. While all places are
 * taken, no client is accepted, and further clients wait in the kernel's queue. So a client that sends data is never
 * removed for another.
 *
 * Silent clients must not keep other clients waiting for long. Every D-Bus client sends first, as soon as it is
 * connected. So while clients wait, a client that has sent nothing for some time loses its place. This time is a
 * fraction of the authentication time, so that a whole queue of silent clients (4096, with 64 places) passes within the
 * authentication time.
 */

import { Connection } from '../connection/connection.js';
import { errnoText } from '../connection/errno.js';
import type { CompleteLimits } from '../connection/limits.js';
import { timeLimit } from '../connection/time-limit.js';
import { report, trace } from '../diagnostics/problems.js';
import type { PollerKind, TransportKind } from '../native/binding.js';
import { loadAddon } from '../native/load.js';

/**
 * The fraction of the authentication time after which silent clients lose their places: at the earliest then, and at
 * the latest after twice as long.
 */
const SILENCE_SHARE = 1 / 128;
/** Milliseconds that a client may always be silent: an honest client may be late by as much. */
const SILENCE_MINIMUM = 50;
const SILENCE_MAXIMUM = 1000;

export interface HalfOpenOptions {
  /** The server's GUID, sent to every client: 16 bytes. */
  readonly guid: Uint8Array;
  /** Milliseconds that each client has, counted from its acceptance. */
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

/** A client that was accepted, with the callbacks that decide about it. */
export interface Applicant {
  readonly fd: number;
  /** Called before the client can send anything. Does not throw or reject. */
  readonly allow: () => boolean | Promise<boolean>;
  /** Gets the connection before any message of the client is dispatched. The client's place is free after that. */
  readonly welcome: (connection: Connection) => void;
}

/** The place of one client. */
class Place {
  readonly takenAt = performance.now();
  connection: Connection | undefined;
  /** Why the client lost its place, for the report. */
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

  /** Authenticates a client, if it is allowed to connect. It has a place, and owns its socket, from this call on. */
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

  /** Removes silent clients from their places for as long as all places are taken. */
  holdCrowded(isCrowded: boolean): void {
    if (isCrowded === (this.#watch !== undefined)) return;
    clearInterval(this.#watch);
    this.#watch = isCrowded ? setInterval(() => this.#loseSilent(), this.#silence) : undefined;
    this.#watch?.unref();
  }

  /** Disconnects all of them. */
  close(): void {
    for (const place of this.#places) place.lose('the server was closed');
    this.holdCrowded(false);
  }

  /** Asks `allow`, within the authentication time. */
  async #isAllowed(place: Place, allow: () => boolean | Promise<boolean>): Promise<boolean> {
    const answer = allow();
    if (typeof answer === 'boolean') return answer && !place.isLost;
    const { timeout } = this.#options;
    const { promise, stop } = timeLimit(timeout, false);
    const allowed = await Promise.race([answer, place.whenLost, promise]);
    stop();
    if (allowed === undefined) report('peer', `a client was rejected: \`allow\` did not settle within ${timeout} ms`);
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

  /** The rest of the time; all of it if none is left, because then the event loop was blocked while `allow` decided. */
  #timeLeft({ age }: Place): number {
    const { timeout } = this.#options;
    return age < timeout ? timeout - age : timeout;
  }

  #loseSilent(): void {
    if (!this.#options.isAwaited()) return;
    for (const place of this.#places) {
      if (place.age < this.#silence) break;
      if (place.connection?.isSilent === true) place.lose('sent nothing while other clients waited');
    }
  }
}
