/** Devices on a bus, for tests of live views: their interfaces, objects and service, and a watcher that takes notes. */
import { connect, defineInterface, implement, type LiveObject, type MessageBus } from '../../src/index.js';
import { roundTrips } from './round-trips.js';

export const NAME = 'org.example.Devices';

export const Device = defineInterface('org.example.Device1', {
  methods: { Connect: { in: 's', out: 's' } },
  signals: { Found: { args: 's' } },
  properties: {
    Name: { type: 's' },
    RSSI: { type: 'n' },
    Lazy: { type: 's', emits: 'invalidates' },
    Silent: { type: 'u', emits: false },
  },
});

export const Battery = defineInterface('org.example.Battery1', { properties: { Percentage: { type: 'y' } } });

export const device = (name: string) =>
  implement(Device, { Name: name, RSSI: -50, Lazy: 'first', Silent: 1, Connect: (profile) => `${name} ${profile}` });

/** A service with a manager at `/`, that owns the name. */
export async function startDevices(address: string, client: MessageBus): Promise<MessageBus> {
  const bus = await connect({ address });
  bus.exportObjectManager('/');
  await bus.requestName(NAME);
  await roundTrips(bus, client);
  return bus;
}

/** A watcher that writes down what it is told. */
export function noting(told: unknown[]) {
  const added = ({ path, values }: LiveObject<typeof Device>) => told.push(['added', path, values.Name]);
  const changed = ({ path, values }: LiveObject<typeof Device>, names: readonly string[]) =>
    told.push(['changed', path, ...names.map((name) => values[name as 'Name'])]);
  const removed = ({ path, values, present }: LiveObject<typeof Device>, last: { readonly Name?: string }) =>
    told.push(['removed', path, last.Name, values, present]);
  return { added, changed, removed };
}
