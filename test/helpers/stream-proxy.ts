/**
 * A proxy between a unix socket's clients and its server that splits, merges, delays and cuts the stream, including
 * descriptors. A Python program (`stream-proxy.py`) does the work, because Node.js cannot pass descriptors on. The proxy
 * owns that program and the folder of its socket.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onExit } from './exit-cleanup.js';
import { projectRoot } from './paths.js';
import { Program } from './program.js';
import { pythonWith } from './python.js';

/** What happens to one direction of a stream. */
interface StreamPlan {
  /** The most bytes that are passed on at once. */
  readonly portion?: number;
  /** The most bytes that are read at once; a small number makes the other side wait for room. */
  readonly read?: number;
  /** Milliseconds of waiting before each portion; bytes that come together before a descriptor are one portion. */
  readonly delay?: number;
  /** Milliseconds of waiting before bytes that were read are passed on, so that more come together. */
  readonly merge?: number;
  /** Nothing passes as long as this is the plan; everything does with the next one. */
  readonly stop?: boolean;
  /** Both sides are disconnected when this many bytes have passed. */
  readonly cut?: number;
  /** Instead of that both stay connected, and nothing more passes, until one of them hangs up. */
  readonly hold?: boolean;
}

/** `up` is from the client to the server. */
export interface ProxyPlan {
  readonly up?: StreamPlan;
  readonly down?: StreamPlan;
}

/** The bytes that had passed when a connection ended. */
export interface Passed {
  readonly up: number;
  readonly down: number;
  readonly fds: number;
}

export class StreamProxy implements AsyncDisposable {
  /** The address that clients are to connect to. */
  readonly address: string;
  readonly #folder: string;
  readonly #program: Program;
  readonly #forget: () => void;

  /** Why it cannot run on this machine. */
  static missing(): string | undefined {
    return pythonWith('socket') === undefined ? 'python3 not installed' : undefined;
  }

  /** A proxy for the server at a `unix:path=` address. */
  static async start(address: string): Promise<StreamProxy> {
    const proxy = new StreamProxy(address);
    await proxy.#program.event('ready');
    return proxy;
  }

  private constructor(address: string) {
    const target = /path=([^,]+)/.exec(address)?.[1];
    const python = pythonWith('socket');
    if (target === undefined || python === undefined) throw new Error(`no proxy for ${address}`);
    this.#folder = mkdtempSync(join(tmpdir(), 'busbar-proxy-'));
    this.#forget = onExit(() => rmSync(this.#folder, { recursive: true, force: true }));
    const path = join(this.#folder, 'socket');
    this.address = `unix:path=${path}`;
    this.#program = Program.start(python, [join(projectRoot, 'test/helpers/stream-proxy.py'), path, target], {
      timeLimit: 120_000,
    });
  }

  /** What happens to connections that are made from now on. */
  plan(plan: ProxyPlan): Promise<void> {
    return this.#order({ plan });
  }

  /** What happens to the newest connection from now on: cuts count from here. */
  arm(plan: ProxyPlan): Promise<void> {
    return this.#order({ arm: plan });
  }

  /** The kernel's send buffers of the proxy's own ends, on connections that are made from now on. */
  sendBuffers(sndbuf: number): Promise<void> {
    return this.#order({ sndbuf });
  }

  /** Resolves when a connection has reached its stop. */
  async held(): Promise<void> {
    await this.#program.event('held');
  }

  /** The bytes that had passed on the next connection that ends, or that ended since the last call. */
  async ended(): Promise<Passed> {
    return (await this.#program.event('ended')) as unknown as Passed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.stop();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #order(order: object): Promise<void> {
    this.#program.write(`${JSON.stringify(order)}\n`);
    await this.#program.event('set');
  }
}
