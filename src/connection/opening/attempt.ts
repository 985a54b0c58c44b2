/**
 * The attempt to open one connection. It starts the native connection and limits the time until it is open. It owns the
 * reason why this side gave the attempt up.
 */
import { constants } from 'node:os';
import type { NativeConnection } from '../../native/binding.js';
import type { ConnectionOptions } from '../connection-options.js';
import type { KeepAlive } from '../keep-alive.js';
import type { ConnectFailure, Lifecycle } from '../lifecycle.js';
import { timeLimit } from '../time-limit.js';

export interface AttemptOptions {
  readonly native: Pick<NativeConnection, 'start' | 'close' | 'isSilent'>;
  readonly life: Lifecycle;
  readonly keepAlive: KeepAlive;
  /** Called if the connection fails while it is started. */
  readonly onClose: (failure: ConnectFailure) => void;
}

export class Attempt {
  readonly #options: AttemptOptions;
  /** Why this side gave up. */
  #givenUp: Omit<ConnectFailure, 'phase'> | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
  }

  /** Connects and authenticates. Resolves when the connection is open, or with the reason why it is not. */
  async start({ serve, timeout, isInBackground }: ConnectionOptions): Promise<ConnectFailure | undefined> {
    const { native, life, keepAlive, onClose } = this.#options;
    const errno = native.start();
    if (errno !== 0) {
      // EPIPE comes from writing, so the socket was connected, and the other side has already hung up.
      const phase = errno === constants.errno.EPIPE ? 'authenticate' : 'connect';
      const failure = { errno, phase, detail: '' } as const;
      onClose(failure);
      return failure;
    }
    keepAlive.update();
    const { promise, stop } = timeLimit(timeout, serve === undefined && isInBackground !== true);
    const failure = await Promise.race([life.opened, promise]);
    stop();
    if (life.state !== 'connecting') return failure;
    const what = native.isSilent() ? 'it sent nothing' : 'it did not complete authentication';
    this.#giveUp(constants.errno.ETIMEDOUT, `${what} within ${Math.round(timeout)} ms`);
    return life.opened;
  }

  /** Ends the attempt if it is no longer wanted. */
  giveUp(): void {
    if (this.#options.life.state === 'connecting') this.#giveUp(constants.errno.ECANCELED);
  }

  /** The failure to report for the end of the connection: the reason of this side, if it gave up. */
  failure(failure: ConnectFailure): ConnectFailure {
    return { ...failure, ...this.#givenUp };
  }

  #giveUp(errno: number, detail = ''): void {
    this.#givenUp = { errno, detail };
    this.#options.native.close();
  }
}
