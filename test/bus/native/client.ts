/** A connection of the native binding that collects what it receives. */
import * as assert from 'uvu/assert';
import { CONNECTION_LIMITS } from '../../../src/connection/limits.js';
import { Column, type ConnectionPhase, type NativeConnection, ROW_LENGTH } from '../../../src/native/binding.js';
import { loadAddon } from '../../../src/native/load.js';
import { pollerKind, transportKind } from '../../../src/native/runtime.js';
import { HELLO, message } from './bytes.js';

const addon = loadAddon();

export interface Received {
  readonly type: number;
  readonly member: string | undefined;
  readonly signature: string | undefined;
  readonly body: Uint8Array;
  readonly fds: readonly number[];
}

export interface Sizes {
  readonly arena?: number;
  readonly rows?: number;
}

/** A connection of the native binding that collects what it receives. */
export class Client {
  readonly native: NativeConnection;
  readonly refused: [number, number][] = [];
  readonly calls: string[] = [];
  readonly received: Received[] = [];
  uniqueName = '';
  drained = 0;
  /** Called for every row, before it is collected. */
  onMessage: (received: Received) => void = () => {};
  /** How many rows one call of onBatch takes. */
  rowsPerCall = Number.POSITIVE_INFINITY;
  readonly opened: Promise<boolean>;
  readonly closed: Promise<[number, ConnectionPhase]>;
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(address: string, sizes: Sizes = {}) {
    addon.useBatchMemory(() => ({
      arena: new ArrayBuffer(sizes.arena ?? 256 * 1024),
      rows: new Int32Array((sizes.rows ?? 256) * ROW_LENGTH),
      strings: new Int32Array(2048 * 3),
      fds: new Int32Array(1024),
    }));
    const known: string[] = [];
    let opened: (canSendFds: boolean) => void;
    let closed: (reason: [number, ConnectionPhase]) => void;
    this.opened = new Promise((resolve) => {
      opened = resolve;
    });
    this.closed = new Promise((resolve) => {
      closed = resolve;
    });
    this.native = new addon.Connection({
      ...{ address, transport: transportKind(), poller: pollerKind() },
      limits: CONNECTION_LIMITS,
      onOpen: (canSendFds) => {
        this.calls.push('open');
        opened(canSendFds);
      },
      onBatch: ({ arena, rows, strings, fds }, from, count, newStrings, large) => {
        this.calls.push('batch');
        for (let i = 0; i < newStrings; i++) {
          const [id, offset, length] = strings.subarray(i * 3, i * 3 + 3) as unknown as [number, number, number];
          known[id] = Buffer.from(arena, offset, length).toString();
        }
        const end = Math.min(count, from + this.rowsPerCall);
        for (let row = from; row < end; row++) {
          const at = (column: number) => rows[row * ROW_LENGTH + column] as number;
          const received = {
            type: at(Column.Type),
            member: known[at(Column.Member)],
            signature: known[at(Column.Signature)],
            body: Uint8Array.from(new Uint8Array(large ?? arena, at(Column.BodyOffset), at(Column.BodyLength))),
            fds: [...fds.subarray(at(Column.FdOffset), at(Column.FdOffset) + at(Column.FdCount))],
          };
          rows[row * ROW_LENGTH + Column.Type] = 0;
          this.received.push(received);
          this.onMessage(received);
        }
        for (const { count: wanted, resolve } of this.#waiting) if (this.received.length >= wanted) resolve();
        return end;
      },
      onDrain: () => {
        this.drained++;
      },
      onRefused: (serial, errno) => {
        this.refused.push([serial, errno]);
      },
      onClose: (errno, phase) => {
        this.calls.push('close');
        closed([errno, phase]);
      },
    });
  }

  /** Connects, sends Hello, and waits for the answer of the bus. */
  static async connect(address: string, sizes?: Sizes): Promise<Client> {
    const client = new Client(address, sizes);
    assert.is(client.native.start(), 0);
    assert.ok(await client.opened);
    assert.is(client.send(HELLO), 0);
    // The reply, and NameAcquired.
    await client.until(2);
    client.uniqueName = Buffer.from(client.received[0]?.body ?? [])
      .toString('latin1', 4)
      .replace(/\0$/, '');
    client.received.length = 0;
    return client;
  }

  send(bytes: Uint8Array, fds?: Int32Array): number {
    return this.native.send(bytes, bytes.length, fds);
  }

  /** Sends a signal to this connection itself. */
  signal(serial: number, signature: string, body: Uint8Array, fds?: Int32Array): number {
    const fields = { type: 4, serial, path: '/a', interface: 'a.b', member: 'C', destination: this.uniqueName };
    const counted = fds === undefined ? {} : { fds: fds.length };
    return this.send(message({ ...fields, signature, body, ...counted }), fds);
  }

  async until(count: number): Promise<void> {
    if (this.received.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async close(): Promise<void> {
    this.native.close();
    await this.closed;
  }
}
