/**
 * What keeps the process alive: a connection does while something goes on over it, unless the user has said otherwise.
 */
import type { NativeConnection } from '../native/binding.js';

export class KeepAlive {
  readonly #native: Pick<NativeConnection, 'ref' | 'unref'>;
  readonly #isBusy: () => boolean;
  #holds = 0;
  /** What the user asked for with `ref` or `unref`; without a wish, whatever is going on decides. */
  #wish: 'ref' | 'unref' | undefined;
  #ended = false;

  /** @param isBusy whether something goes on that nobody holds; {@link update} is called when that changes */
  constructor(native: Pick<NativeConnection, 'ref' | 'unref'>, isBusy: () => boolean) {
    this.#native = native;
    this.#isBusy = isBusy;
  }

  /** Keeps the process alive until the returned function is called. */
  hold(): () => void {
    this.#holds++;
    if (this.#holds === 1) this.update();
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds--;
      if (this.#holds === 0) this.update();
    };
  }

  wish(wish: 'ref' | 'unref'): void {
    this.#wish = wish;
    this.update();
  }

  update(): void {
    if (this.#ended) return;
    this.#native[this.#wish ?? (this.#holds > 0 || this.#isBusy() ? 'ref' : 'unref')]();
  }

  /** The connection is over: there is nothing left to refer to. */
  end(): void {
    this.#ended = true;
  }
}
