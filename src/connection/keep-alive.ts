/**
 * Keeps the process alive while a connection is in use, unless the program decides otherwise. Each user of the
 * connection decides for itself.
 */
import type { NativeConnection } from '../native/binding.js';
import { noteKeepAlive } from './turn-note.js';

/** The reasons for which one user of a connection keeps the process alive. They outlive the connection if it is replaced. */
export class KeepAliveUser {
  /** @internal the connection, or what stands for it while there is none */
  keeper: KeepAlive;
  #holds = 0;
  /** The holds for operations that would end silently if the connection were lost. */
  #silentHolds = 0;
  /** The last call of `ref` or `unref`; without one, the holds decide. */
  #wish: 'ref' | 'unref' | undefined;

  constructor(keeper: KeepAlive) {
    this.keeper = keeper;
  }

  /**
   * Keeps the process alive until the returned function is called.
   *
   * @param reportsLoss whether the operation rejects or throws when the connection is lost
   */
  hold(reportsLoss = false): () => void {
    this.begin(reportsLoss);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.end(reportsLoss);
    };
  }

  /** As {@link hold}, until {@link end} is called with the same argument, for what has no room for a function. */
  begin(reportsLoss: boolean): void {
    this.#holds++;
    if (!reportsLoss) this.#silentHolds++;
    if (this.#holds === 1) this.keeper.update();
  }

  /** Must be called once for each {@link begin}. */
  end(reportsLoss: boolean): void {
    this.#holds--;
    if (!reportsLoss) this.#silentHolds--;
    if (this.#holds === 0) this.keeper.update();
  }

  wish(wish: 'ref' | 'unref'): void {
    this.#wish = wish;
    this.keeper.update();
  }

  /** @param isBusy whether the connection is in use without a hold of a user */
  keepsAlive(isBusy: boolean): boolean {
    if (this.#wish !== undefined) return this.#wish === 'ref';
    return isBusy || this.#holds > 0;
  }

  /** Whether the process is kept alive for an operation that would end silently if the connection were lost. */
  get keepsAliveInSilence(): boolean {
    return this.#wish === undefined ? this.#silentHolds > 0 : this.#wish === 'ref';
  }
}

export class KeepAlive {
  readonly #native: Pick<NativeConnection, 'ref' | 'unref'>;
  readonly #isBusy: () => boolean;
  /** Mostly one. An array is faster to go through than a set, which every call does twice. */
  readonly #users: KeepAliveUser[] = [];
  /** The holds of the connection itself. */
  readonly #own = new KeepAliveUser(this);
  #ended = false;
  /** The number of the connection at the addon; 0 if it has none. */
  number = 0;
  /** What the addon was told last. */
  #told: boolean | undefined = undefined;

  /**
   * @param isBusy whether the connection is in use without a hold; the caller calls {@link update} when that changes
   */
  constructor(native: Pick<NativeConnection, 'ref' | 'unref'>, isBusy: () => boolean) {
    this.#native = native;
    this.#isBusy = isBusy;
  }

  /** Keeps the process alive until the returned function is called, unless all users have called `unref`. */
  hold(): () => void {
    return this.#own.hold(true);
  }

  /** Adds a user of the connection. Without users, the connection decides alone. */
  addUser(): KeepAliveUser {
    const user = new KeepAliveUser(this);
    this.#users.push(user);
    return user;
  }

  removeUser(user: KeepAliveUser): void {
    const at = this.#users.indexOf(user);
    if (at < 0) return;
    this.#users.splice(at, 1);
    this.update();
  }

  /** Takes all users of a connection that this one replaces, with their reasons and wishes. */
  takeUsersOf(previous: KeepAlive): void {
    for (const user of previous.#users.splice(0)) {
      user.keeper = this;
      this.#users.push(user);
    }
    this.update();
  }

  update(): void {
    if (this.#ended) return;
    const isWanted = this.#isWanted();
    if (isWanted === this.#told) return;
    this.#told = isWanted;
    if (noteKeepAlive(this.number, isWanted)) return;
    if (isWanted) this.#native.ref();
    else this.#native.unref();
  }

  #isWanted(): boolean {
    const isBusy = this.#own.keepsAlive(this.#isBusy());
    if (this.#users.length === 0) return isBusy;
    for (const user of this.#users) if (user.keepsAlive(isBusy)) return true;
    return false;
  }

  /** Whether the process is kept alive for an operation that would end silently if the connection were lost. */
  get keepsAliveInSilence(): boolean {
    for (const user of this.#users) if (user.keepsAliveInSilence) return true;
    return false;
  }

  /** Called when the connection has ended and can no longer be referenced. */
  end(): void {
    this.#ended = true;
  }
}
