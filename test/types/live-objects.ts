/**
 * Type tests of live objects: values, watchers, loops and siblings have the types of the class, definition or description.
 */
import {
  type CachedObject,
  defineInterface,
  type InterfaceDescription,
  type LiveObject,
  type LiveValues,
  type MessageBus,
  property,
  ServiceInterface,
  standard,
  type Variant,
} from 'busbar';
import { type Equal, is } from './is.js';

const Device = defineInterface('org.example.Device1', {
  methods: { Connect: { in: 's', out: 'b' } },
  signals: { Found: { args: 'su' } },
  properties: {
    Name: { type: 's' },
    RSSI: { type: 'n', access: 'read' },
    Data: { type: 'a{qv}' },
    Secret: { type: 's', access: 'write' },
  },
});

class Battery extends ServiceInterface {
  constructor() {
    super('org.example.Battery1');
  }

  @property({ type: 'y' })
  accessor Percentage = 0;
}

declare const bus: MessageBus;
declare const description: InterfaceDescription;

export async function views(): Promise<void> {
  using view = bus.objects('org.example');
  is<Equal<typeof view.ready, Promise<string | undefined>>>();
  bus.objects('org.example', '/manager', { timeout: 5000 });
  bus.objects(undefined, '/manager');
  // @ts-expect-error an option that does not exist
  bus.objects('org.example', '/', { retry: true });

  const devices = view.of(Device);
  const device = devices.get('/device');
  is<Equal<typeof device, LiveObject<typeof Device> | undefined>>();
  for (const each of devices) {
    is<Equal<typeof each, LiveObject<typeof Device>>>();
    is<Equal<typeof each.values.Name, string | undefined>>();
    is<Equal<typeof each.values.RSSI, number | undefined>>();
    is<Equal<typeof each.values.Data, Map<number, unknown> | undefined>>();
    // @ts-expect-error it cannot be read
    each.values.Secret;
    // @ts-expect-error it does not exist
    each.values.Colour;
    // @ts-expect-error values are read-only
    each.values.Name = 'x';
    is<Equal<ReturnType<typeof each.call.Connect>, Promise<boolean>>>();
    // @ts-expect-error an argument of another type
    each.call.Connect(5);
    each.on.Found((name, strength) => is<Equal<[typeof name, typeof strength], [string, number]>>());
    for await (const [name] of each.watch.Found()) is<Equal<typeof name, string>>();
    const battery = each.as(Battery);
    is<Equal<NonNullable<typeof battery>['values']['Percentage'], number | undefined>>();
    const values = await each.until(({ RSSI = 0 }) => RSSI > -50, { timeout: 5, signal: AbortSignal.timeout(5) });
    is<Equal<typeof values, LiveValues<typeof Device>>>();
    // @ts-expect-error the predicate returns whether the values meet the condition
    each.until(({ Name }) => Name);
    // @ts-expect-error an option that does not exist
    each.until(() => true, { limit: 5 });
    each.watch({ changed: (object) => is<Equal<typeof object, LiveObject<typeof Device>>>() });
    const wrapped = each.with({ variants: 'wrap' });
    // @ts-expect-error a proxy with other options reads values differently, so it has none
    wrapped.values;
  }
  for (const each of view.of(Device, { variants: 'wrap' })) {
    is<Equal<typeof each, LiveObject<typeof Device, 'wrap'>>>();
    is<Equal<typeof each.values.Data, Map<number, Variant> | undefined>>();
    is<Equal<Awaited<ReturnType<typeof each.get.Data>>, Map<number, Variant>>>();
    const values = await each.until(({ Data }) => Data?.get(5)?.signature === 's');
    is<Equal<typeof values, LiveValues<typeof Device, 'wrap'>>>();
    each.watch({ removed: (_object, last) => is<Equal<typeof last, LiveValues<typeof Device, 'wrap'>>>() });
    is<Equal<NonNullable<ReturnType<typeof each.as<typeof Device>>>['values']['Name'], string | undefined>>();
  }
  const kept = view.of(Device, { variants: 'keep' }).get('/device');
  is<Equal<typeof kept, typeof device>>();
  // @ts-expect-error a choice that does not exist
  view.of(Device, { variants: 'odd' });
  const cached = await bus.cached(Device, 'org.example', '/device', { variants: 'wrap' });
  is<Equal<typeof cached.values.Data, Map<number, Variant> | undefined>>();
  devices.watch({
    added: (object) => is<Equal<typeof object, LiveObject<typeof Device>>>(),
    changed: (_object, names) => is<Equal<typeof names, readonly ('Name' | 'RSSI' | 'Data')[]>>(),
    removed: (_object, last) => is<Equal<typeof last, LiveValues<typeof Device>>>(),
  });
  // @ts-expect-error a function that does not exist
  devices.watch({ vanished: () => {} });
  for await (const change of devices.changes({ signal: AbortSignal.timeout(5) })) {
    is<Equal<typeof change.object, LiveObject<typeof Device>>>();
    if (change.kind === 'changed') is<Equal<typeof change.names, readonly ('Name' | 'RSSI' | 'Data')[]>>();
    // @ts-expect-error only what was removed has last values
    else if (change.kind === 'added') change.last;
    else is<Equal<typeof change.last.Name, string | undefined>>();
  }
  for (const { path, interfaces, as } of view) {
    is<Equal<[typeof path, typeof interfaces], [string, readonly string[]]>>();
    is<Equal<ReturnType<typeof as<typeof Device>>, LiveObject<typeof Device> | undefined>>();
  }

  // A description that is only known at run time.
  for (const { values, call } of view.of(description)) {
    is<Equal<typeof values.Anything, unknown>>();
    is<Equal<Awaited<ReturnType<typeof call.Anything>>, unknown>>();
  }
  // @ts-expect-error it does not describe an interface
  view.of({});
  // @ts-expect-error the name of an interface does not describe it
  view.of('org.example.Device1');
}

export async function cachedObjects(): Promise<void> {
  using battery = await bus.cached(Battery, 'org.example', '/battery');
  is<Equal<typeof battery, CachedObject<typeof Battery>>>();
  is<Equal<typeof battery.values.Percentage, number | undefined>>();
  battery.watch({
    added: (object) => is<Equal<typeof object, CachedObject<typeof Battery>>>(),
    changed: (_object, names) => is<Equal<typeof names, readonly 'Percentage'[]>>(),
  });
  is<Equal<typeof battery.ready, Promise<string | undefined>>>();
  await battery.set.Percentage(5);
  // @ts-expect-error a cached object has one interface
  battery.as(Device);
  await bus.cached(Device, '/device', { signal: AbortSignal.timeout(5) });
  // @ts-expect-error an option that does not exist
  await bus.cached(Device, 'org.example', '/device', { limit: 5 });
}

export function signalsOfMany(): void {
  bus.signals(
    Device,
    { pathNamespace: '/org' },
    {
      Found: (name, strength, { sender, path }) => {
        is<Equal<[typeof name, typeof strength], [string, number]>>();
        is<Equal<[typeof sender, typeof path], [string | undefined, string]>>();
      },
    },
  );
  bus.signals(description, { sender: 'org.example', arg0: 'x' }, { Anything: (...values: unknown[]) => values });
  const Told = defineInterface('org.example.Told1', { signals: { Said: { args: ['value:v', 'all:a{uv}'] } } });
  bus.signals(Told, {}, { Said: (_value, all) => is<Equal<typeof all, Map<number, unknown>>>() });
  bus.signals(
    Told,
    {},
    { Said: (value, all) => is<Equal<[typeof value, typeof all], [Variant, Map<number, Variant>]>>() },
    { variants: 'wrap' },
  );
  bus.signals(Told, {}, { Said: (_value, all) => is<Equal<typeof all, Map<number, unknown>>>() }, { variants: 'keep' });
  // @ts-expect-error a choice that does not exist
  bus.signals(Told, {}, {}, { variants: 'odd' });
  // @ts-expect-error a signal that does not exist
  bus.signals(Device, {}, { Lost: () => {} });
  // @ts-expect-error the description names the interface
  bus.signals(Device, { interface: 'org.example.Other' }, {});
  // @ts-expect-error an argument of another type
  bus.signals(Device, {}, { Found: (name: number) => name });
}

export async function names(): Promise<void> {
  is<Equal<ReturnType<typeof bus.waitForName>, Promise<string>>>();
  await bus.waitForName('org.example', { start: true, timeout: 5, signal: AbortSignal.timeout(5) });
  // @ts-expect-error an option that does not exist
  await bus.waitForName('org.example', { begin: true });
  bus.watchNames('org.example', {
    changed: (name, owner, previous) =>
      is<Equal<[typeof name, typeof owner, typeof previous], [string, string, string]>>(),
  });
  const waiting = bus.proxy(Device, 'org.example', '/').with({ wait: true });
  is<Equal<ReturnType<typeof waiting.call.Connect>, Promise<boolean>>>();
  const features = await bus.proxy(standard.Bus, 'org.freedesktop.DBus', '/').get.Features();
  is<Equal<typeof features, string[]>>();
  const all = (await bus.object('org.example', '/')).all();
  is<Equal<Awaited<ReturnType<typeof all.call.Anything>>, unknown>>();
}
