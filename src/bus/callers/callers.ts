/**
 * The callers whose end one user of a connection waits for: those that handlers track, or whose signals they read. Each
 * is followed while anything waits for it. All of them end with the connection, or with the user's share of it.
 */
import type { DBusError } from '../../base/errors.js';
import type { Connection } from '../../connection/connection.js';
import { CallerLife } from './caller-life.js';
import type { FollowedCallers } from './followed-callers.js';

interface ConnectionUser {
  /** Calls `listener` when the share of the connection ends, or the connection for the last time. */
  whenClosed(listener: (reason: DBusError | undefined) => void): () => void;
}

/** A caller that is followed. */
interface Followed {
  readonly life: CallerLife;
  /** Must be called once. */
  readonly release: () => void;
}

export class Callers {
  readonly #user: ConnectionUser;
  readonly #followedCallers: FollowedCallers;
  readonly #followed = new Map<string | undefined, Followed>();
  #stopWaiting = () => {};

  constructor(user: ConnectionUser, followedCallers: FollowedCallers) {
    this.#user = user;
    this.#followedCallers = followedCallers;
  }

  /** The number of callers that are followed. */
  get size(): number {
    return this.#followed.size;
  }

  /**
   * The life of a caller, which is followed from now on: something has to be added to it, or its signal read.
   *
   * @param name the unique name; `undefined` between peers
   * @param connection the connection over which it called. Over the next one its name may be that of another connection
   */
  lifeOf(name: string | undefined, connection: Connection): CallerLife {
    if (connection.state === 'closed') return this.#over(name, connection);
    const known = this.#followed.get(name);
    if (known !== undefined) return known.life;
    const life: CallerLife = new CallerLife(name, () => this.#forget(life));
    if (this.#followed.size === 0) this.#waitForEndOf(connection);
    // A connection that carries nothing any more is about to end.
    const asked = connection.isPeer || !connection.carriesMessages ? undefined : name;
    const left = () => {
      this.#forget(life);
      life.end('left');
    };
    this.#followed.set(name, { life, release: this.#followedCallers.follow(asked, left) });
    return life;
  }

  #over(name: string | undefined, connection: Connection): CallerLife {
    const life = new CallerLife(name, () => {});
    life.end({ loss: connection.loss });
    return life;
  }

  #forget({ name }: CallerLife): void {
    this.#followed.get(name)?.release();
    this.#followed.delete(name);
    if (this.#followed.size === 0) this.#stopWaiting();
  }

  #waitForEndOf(connection: Connection): void {
    const end = (loss: DBusError | undefined) => {
      this.#stopWaiting();
      const all = [...this.#followed.values()];
      this.#followed.clear();
      for (const { release } of all) release();
      for (const { life } of all) life.end({ loss });
    };
    const stops = [connection.whenClosed(end), this.#user.whenClosed(end)];
    this.#stopWaiting = () => {
      for (const stop of stops) stop();
    };
  }
}
