/**
 * What keeps the process alive: a connection does while something goes on over it, unless the program has said otherwise.
 * Each user of the connection says that for itself.
 */
import type { NativeConnection } from '../native/binding.js';

/** What one user of a connection keeps the process alive for. */
export class KeepAliveUser {
  readonly #update: () => void;
  #holds = 0;
  /** Of the holds, those for something that would end in silence if the connection were lost. */
  #silentHolds = 0;
  /** What was asked for with `ref` or `unref`; without a wish, whatever is going on decides. */
  #wish: 'ref' | 'unref' | undefined;

  constructor(update: () => void) {
    this.#update = update;
  }

  /**
   * Keeps the process alive until the returned function is called.
   *
   * @param hearsOfLoss whether what it is for rejects, or throws, when the connection is lost
   */
  hold(hearsOfLoss = false): () => void {
    const silent = hearsOfLoss ? 0 : 1;
    this.#holds++;
    this.#silentHolds += silent;
    if (this.#holds === 1) this.#update();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      this.#silentHolds -= silent;
      if (this.#holds === 0) this.#update();
    };
  }

  wish(wish: 'ref' | 'unref'): void {
    this.#wish = wish;
    this.#update();
  }

  /** @param isBusy whether something goes on that no user holds */
  keepsAlive(isBusy: boolean): boolean {
    if (this.#wish !== undefined) return this.#wish === 'ref';
    return isBusy || this.#holds > 0;
  }

  /** Whether the process is kept alive for something that would end in silence if the connection were lost. */
  get keepsAliveInSilence(): boolean {
    return this.#wish === undefined ? this.#silentHolds > 0 : this.#wish === 'ref';
  }
}

export class KeepAlive {
  readonly #native: Pick<NativeConnection, 'ref' | 'unref'>;
  readonly #isBusy: () => boolean;
  readonly #users = new Set<KeepAliveUser>();
  /** What the connection does for itself. */
  readonly #own = new KeepAliveUser(() => this.update());
  #ended = false;

  /** @param isBusy whether something goes on that nobody holds; {@link update} is called when that changes */
  constructor(native: Pick<NativeConnection, 'ref' | 'unref'>, isBusy: () => boolean) {
    this.#native = native;
    this.#isBusy = isBusy;
  }

  /** Keeps the process alive until the returned function is called, unless all users want it to end. */
  hold(): () => void {
    return this.#own.hold(true);
  }

  /** One more user of the connection. Until there is one, the connection decides alone. */
  addUser(): KeepAliveUser {
    const user = new KeepAliveUser(() => this.update());
    this.#users.add(user);
    return user;
  }

  removeUser(user: KeepAliveUser): void {
    if (this.#users.delete(user)) this.update();
  }

  update(): void {
    if (this.#ended) return;
    this.#native[this.#isWanted() ? 'ref' : 'unref']();
  }

  #isWanted(): boolean {
    const isBusy = this.#own.keepsAlive(this.#isBusy());
    if (this.#users.size === 0) return isBusy;
    for (const user of this.#users) if (user.keepsAlive(isBusy)) return true;
    return false;
  }

  /** Whether the process is kept alive for something that would end in silence if the connection were lost. */
  get keepsAliveInSilence(): boolean {
    for (const user of this.#users) if (user.keepsAliveInSilence) return true;
    return false;
  }

  /** The connection is over: there is nothing left to refer to. */
  end(): void {
    this.#ended = true;
  }
}
