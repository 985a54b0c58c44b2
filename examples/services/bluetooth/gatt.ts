/** The GATT server of a device: services with characteristics, which clients read, write and follow. */
import { dirname } from 'node:path/posix';
import { type Caller, type Export, type Handle, implement } from 'busbar';
import { GattCharacteristic, GattService } from '../interfaces/bluez.js';
import { bus, failure } from './agents.js';

/** The UUID that Bluetooth has assigned to a number. */
export const assigned = (number: string) => `0000${number}-0000-1000-8000-00805f9b34fb`;

/** The clients that want something, until they say otherwise or leave the bus. */
export class Wishes {
  readonly #clients = new Map<string | undefined, Handle>();
  readonly #change: (wanted: boolean) => void;

  constructor(change: (wanted: boolean) => void) {
    this.#change = change;
  }

  add(client: Caller): void {
    if (this.#clients.has(client.name)) throw failure('InProgress', 'this client has started it already');
    const lease = client.track(() => this.delete(client));
    this.#clients.set(client.name, lease);
    if (this.#clients.size === 1) this.#change(true);
  }

  delete(client: Caller): void {
    this.#clients.get(client.name)?.end();
    if (!this.#clients.delete(client.name)) throw failure('Failed', 'this client has not started it');
    if (this.#clients.size === 0) this.#change(false);
  }
}

/** Exports a service of the device that has the path above. */
export function exportService(path: string, number: string): Export {
  return bus.export(path, implement(GattService, { UUID: assigned(number), Device: dirname(path), Primary: true }));
}

/**
 * Exports a characteristic. Clients write its value, unless it is measured: when a client reads it, and each second while
 * a client wants notifications.
 */
export function exportCharacteristic(path: string, number: string, value: Buffer, measure?: () => Buffer): Export {
  let timer: NodeJS.Timeout | undefined;
  const update = (latest: Buffer) => {
    value = latest;
    characteristic.properties.Value = latest;
  };
  const wishes = new Wishes((wanted) => {
    characteristic.properties.Notifying = wanted;
    clearInterval(timer);
    if (wanted && measure) timer = setInterval(() => update(measure()), 1000).unref();
  });
  const characteristic = implement(GattCharacteristic, {
    ReadValue({ offset = 0 }) {
      if (measure) update(measure());
      if (offset > value.length) throw failure('InvalidOffset', `the value has ${value.length} bytes`);
      return value.subarray(offset);
    },
    WriteValue(bytes, { offset = 0 }) {
      if (measure) throw failure('NotPermitted', 'the value is measured');
      if (offset > value.length) throw failure('InvalidOffset', `the value has ${value.length} bytes`);
      if (offset + bytes.length > 512) throw failure('InvalidValueLength', 'a value has at most 512 bytes');
      update(Buffer.concat([value.subarray(0, offset), bytes]));
      console.log(`${number} is ${value.toString('hex')}`);
    },
    StartNotify: ({ caller }) => wishes.add(caller),
    StopNotify: ({ caller }) => wishes.delete(caller),
    ...{ UUID: assigned(number), Service: dirname(path), Notifying: false, Value: value },
    Flags: measure ? ['read', 'notify'] : ['read', 'write', 'notify'],
  });
  return bus.export(path, characteristic);
}
