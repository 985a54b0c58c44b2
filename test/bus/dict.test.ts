// dict(): dictionaries with known keys are wrapped and checked when they are written, checked when they are read, and
// are `a{sv}` on the wire, wherever a signature stands.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  arrayOf,
  defineInterface,
  dict,
  type Emits,
  type ImplementationMembers,
  InvalidArgumentError,
  InvalidReplyError,
  implement,
  introspectionXml,
  method,
  pipe,
  property,
  ServiceInterface,
  signal,
  structOf,
  variant,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { assertFdsLeft, assertNoFdsLeft, openFds } from '../helpers/open-fds.js';
import { rejection } from '../helpers/rejection.js';

const { client, destination, service, stop } = await startClientAndService();
const test = suite('dict');

test.after(stop);

const point = dict({ Name: 's', Strength: 'y', 'Flags?': 'au' });
const open = dict({ 'Level?': 'u', '...': 'v' }, 'options:a{sv}');
const track = dict({ Title: 's', 'Tags?': 'as', 'Place?': dict({ Lat: 'd', Lon: 'd' }) });
const settings = dict({ connection: dict({ id: 's', '...': 'v' }), '...': 'a{sv}' }, 'settings:a{sa{sv}}');

const Points = defineInterface('org.example.Points1', {
  methods: {
    Echo: { in: [point], out: point },
    Open: { in: [open], out: [open] },
    Tracks: { in: [arrayOf(track, 'tracks')], out: arrayOf(track) },
    Menu: { in: [structOf(['i', track])], out: [structOf(['i', track]), 's'] },
    Settings: { in: [settings], out: settings },
    Numbers: { in: [dict({ '...': 'u' })], out: dict({ '...': dict({ Strength: 'y' }) }, 'a{oa{sv}}') },
  },
  signals: { Moved: { args: [point, 's'] } },
  properties: { Point: { type: point }, Known: { type: open, emits: 'invalidates' } },
});

/** The same interface as services and clients have it that know nothing of the keys. */
const Free = defineInterface('org.example.Points1', {
  methods: {
    Echo: { in: ['a{sv}'], out: 'a{sv}' },
    Open: { in: ['options:a{sv}'], out: ['options:a{sv}'] },
    Tracks: { in: ['tracks:aa{sv}'], out: 'aa{sv}' },
    Menu: { in: ['(ia{sv})'], out: ['(ia{sv})', 's'] },
    Settings: { in: ['settings:a{sa{sv}}'], out: 'a{sa{sv}}', variants: 'wrap' },
    Numbers: { in: ['a{sv}'], out: 'a{oa{sv}}' },
  },
  signals: { Moved: { args: ['a{sv}', 's'] } },
  properties: { Point: { type: 'a{sv}' }, Known: { type: 'a{sv}', emits: 'invalidates' } },
});

const here = { Name: 'here', Strength: 5, Flags: [1, 2] };
let received: unknown;
const members = {
  Echo: (given) => {
    received = given;
    return given;
  },
  Open: (given) => {
    received = given;
    return given;
  },
  Tracks: (given) => given,
  Menu: ([number, given]) => [[number, given], 'menu'],
  Settings: (given) => given,
  Numbers: (given) => ({ '/a': { Strength: given.one as number } }),
  Point: here,
  Known: {},
} satisfies ImplementationMembers<(typeof Points)['members']>;
const points = implement(Points, members);
const free = implement(Free, {
  Echo: () => answer,
  Open: (given) => given,
  Tracks: (given) => given,
  Menu: (given) => [given, 'menu'],
  Settings: (given) => given,
  Numbers: () => ({ '/a': {} }),
  Point: {},
  Known: {},
});
let answer: Record<string, unknown> = {};
await service.export('/points', points);
await service.export('/free', free);

const proxy = client.proxy(Points, destination, '/points');
const raw = client.proxy(Free, destination, '/points').with({ variants: 'wrap' });
/** A client that knows the keys, of a service that sends anything. */
const other = client.proxy(Points, destination, '/free');

async function rejectionOf(promise: Promise<unknown>, kind: typeof InvalidArgumentError | typeof InvalidReplyError) {
  const error = (await rejection(promise)) as Error;
  assert.instance(error, kind);
  return error;
}

test('values are wrapped on the wire and plain on both sides', async () => {
  assert.equal(await proxy.call.Echo(here), here);
  assert.equal(received, here);
  assert.equal(await proxy.call.Echo({ Name: 'x', Strength: 0, Flags: undefined }), { Name: 'x', Strength: 0 });
  const wire = { Name: variant.s('here'), Strength: variant.y(5), Flags: variant.au([1, 2]) };
  assert.equal(await raw.call.Echo(wire), wire);
  assert.equal(await proxy.call.Open({ Level: 3, other: variant.y(1) }), { Level: 3, other: 1 });
  const tracks = [{ Title: 'a' }, { Title: 'b', Tags: [], Place: { Lat: 1.5, Lon: 2 } }];
  assert.equal(await proxy.call.Tracks(tracks), tracks);
  assert.equal(await proxy.call.Menu([4, { Title: 'a' }]), [[4, { Title: 'a' }], 'menu']);
  const given = { connection: { id: 'home', size: 5 }, ipv4: { method: 'auto' } };
  assert.equal(await proxy.call.Settings(given), given);
  assert.equal(await proxy.call.Numbers({ one: 7 }), { '/a': { Strength: 7 } });
});

test('introspection data has the signatures and the names of arguments', () => {
  const { description } = Points;
  const xml = introspectionXml({
    path: undefined,
    interfaces: new Map([[description.name, description]]),
    children: new Map(),
  });
  assert.match(xml, 'name="options" type="a{sv}"');
  assert.match(xml, 'name="settings" type="a{sa{sv}}"');
  assert.match(xml, 'name="tracks" type="aa{sv}"');
  assert.match(xml, 'type="(ia{sv})"');
  assert.match(xml, 'name="Point" type="a{sv}"');
  assert.not.match(xml, /Strength|Level/);
});

test('a value that lacks a key, has another one or one of another type is not written', async () => {
  const refused = async (value: object, text: string) => {
    const { message } = await rejectionOf(proxy.call.Echo(value as never), InvalidArgumentError);
    assert.ok(message.includes(text), message);
  };
  await refused({ Strength: 5 }, "argument 0.Name: the entry is missing: add it (s), or write 'Name?' in dict()");
  await refused({ Name: undefined, Strength: 5 }, 'argument 0.Name: the entry is missing');
  await refused({ ...here, Nmae: 1 }, 'argument 0.Nmae: dict() has no such key; did you mean Name?');
  await refused({ ...here, Nmae: 1 }, "write '...': 'v' in dict() to allow other keys");
  await refused({ ...here, Strength: 256 }, 'argument 0.Strength: expected y');
  await refused({ ...here, Flags: [1, 'x'] }, 'argument 0.Flags[1]: expected u (0 to 4294967295), got string');
  await refused({ ...here, Strength: variant.u(5) }, 'argument 0.Strength: expected y, got a Variant of type u');
  await refused([], 'argument 0: expected a{sv}, got array of 0');
  const { message } = await rejectionOf(
    proxy.call.Tracks([{ Title: 'a', Place: { Lat: 1 } } as never]),
    InvalidArgumentError,
  );
  assert.match(message, 'argument 0[0].Place.Lon: the entry is missing');
  assert.equal(await proxy.call.Echo({ ...here, Strength: variant.y(5) } as never), here);
  assert.equal(await proxy.call.Echo(new Map(Object.entries(here)) as never), here);
});

test('a caller that sends other entries gets an error with the key; unknown keys do not reach the handler', async () => {
  const { message } = await rejectionOf(raw.call.Echo({ Strength: variant.y(1) }), InvalidArgumentError);
  assert.match(message, 'argument 0.Name: the entry is missing: dict() requires it (s)');
  const wrong = await rejectionOf(raw.call.Echo({ Name: 'x', Strength: variant.u(1) }), InvalidArgumentError);
  assert.match(wrong.message, 'argument 0.Strength: expected y, got u');
  const named = await rejectionOf(raw.call.Open({ Level: 'x' }), InvalidArgumentError);
  assert.match(named.message, 'argument 0 (options).Level: expected u, got s');
  await raw.call.Echo({ Name: 'x', Strength: variant.y(1), More: 'of it' });
  assert.equal(received, { Name: 'x', Strength: 1 });
  await raw.call.Open({ More: variant.ao(['/a']) });
  assert.equal(received, { More: ['/a'] });
});

test('a reply with other entries is an error with the method and the key; unknown keys are left out', async () => {
  answer = { ...here, Strength: variant.y(1), Flags: variant.au([]), More: 5 };
  assert.equal(await other.call.Echo(here), { Name: 'here', Strength: 1, Flags: [] });
  answer = { Name: 'x', Strength: 5 };
  const { message } = await rejectionOf(other.call.Echo(here), InvalidReplyError);
  assert.match(message, 'the reply.Strength: expected y, got i');
  assert.match(message, 'org.example.Points1.Echo');
  answer = { Strength: variant.y(5) };
  assert.match(
    (await rejectionOf(other.call.Echo(here), InvalidReplyError)).message,
    'the reply.Name: the entry is missing',
  );
  const loose = other.with({ loose: true });
  assert.equal(await loose.call.Echo(here), { Strength: 5 });
});

test('properties are written, read and followed with their keys', async () => {
  assert.equal(await proxy.get.Point(), here);
  assert.equal(await proxy.getAll(), { Point: here, Known: {} });
  const change = new Promise<object>((resolve) => {
    const subscription = proxy.onChange((changed) => {
      subscription.end();
      resolve(changed);
    });
  });
  await proxy.set.Point({ Name: 'there', Strength: 9 });
  assert.equal(await change, { Point: { Name: 'there', Strength: 9 } });
  assert.equal(points.properties.Point, { Name: 'there', Strength: 9 });
  await raw.set.Point({ Name: 'raw', Strength: variant.y(2), More: 1 });
  assert.equal(points.properties.Point, { Name: 'raw', Strength: 2 });
  assert.equal(await raw.get.Point(), { Name: variant.s('raw'), Strength: variant.y(2) });
  const wrong = await rejectionOf(raw.set.Point({ Name: 'raw' }), InvalidArgumentError);
  assert.match(wrong.message, 'property Point.Strength: the entry is missing');
  const mine = await rejectionOf(proxy.set.Point({ Name: 'raw' } as never), InvalidArgumentError);
  assert.match(mine.message, 'property Point.Strength: the entry is missing');
  assert.throws(() => {
    points.properties.Point = { Name: 'x', Strength: -1 };
  }, /property Point.Strength: expected y \(0 to 255\), got -1/);
  const { message } = await rejectionOf(other.get.Point(), InvalidReplyError);
  assert.match(message, 'the property org.example.Points1.Point.Name: the entry is missing');
  assert.match((await rejectionOf(other.getAll(), InvalidReplyError)).message, 'Points1.Point.Name');
});

test('the types of other entries that clients set stay with the value', async () => {
  await raw.set.Known({ Level: variant.u(1), other: variant.q(7) });
  assert.equal(points.properties.Known, { Level: 1, other: 7 });
  assert.equal(await raw.get.Known(), { Level: variant.u(1), other: variant.q(7) });
});

test('signals are emitted and heard with their keys', async () => {
  const heard = proxy.once.Moved();
  const rawHeard = raw.once.Moved();
  await client.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  points.emit.Moved(here, 'now');
  assert.equal(await heard, [here, 'now']);
  assert.equal((await rawHeard)[0].Strength, variant.y(5));
  assert.throws(() => points.emit.Moved({ Name: 'x' } as never, 'now'), /argument 0.Strength: the entry is missing/);
  const dropped = new Promise<Error>((resolve) => process.once('warning', resolve));
  const next = other.once.Moved();
  await client.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  free.emit.Moved({ Name: 'x' }, 'lost');
  assert.match((await dropped).message, 'the signal org.example.Points1.Moved[0].Strength: the entry is missing');
  free.emit.Moved({ Name: 'x', Strength: variant.y(1) }, 'found');
  assert.equal(await next, [{ Name: 'x', Strength: 1 }, 'found']);
});

test('variants that are values are read as chosen; entries of a known type are values', async () => {
  const wrap = proxy.with({ variants: 'wrap' });
  assert.equal(await wrap.call.Echo(here), here);
  assert.equal(await wrap.call.Open({ Level: 3, other: 'x' }), { Level: 3, other: variant.s('x') });
  assert.equal(await proxy.with({ typedArrays: true }).call.Echo(here), { ...here, Flags: new Uint32Array([1, 2]) });
  const map = await proxy.with({ dictionaries: 'map' }).call.Echo(here);
  assert.equal(map, new Map<string, unknown>(Object.entries(here)));
});

test('an entry of any type has the type of its value', async () => {
  const Holder = defineInterface('org.example.Any1', {
    methods: { Echo: { in: [dict({ Any: 'v' })], out: dict({ Any: 'v' }), variants: 'keep' } },
  });
  await service.export('/any', implement(Holder, { Echo: (given) => given }));
  const holder = client.proxy(Holder, destination, '/any');
  for (const [Any, plain, type] of [
    ['x', 'x', 's'],
    [variant.q(5), 5, 'q'],
    [variant.ai([1]), [1], 'ai'],
    [variant('a{sv}', { a: variant.y(1) }), { a: 1 }, 'a{sv}'],
    [variant.v(variant.u(1)), 1, 'v'],
  ] as const) {
    assert.equal(await holder.call.Echo({ Any }), { Any: plain });
    assert.is((await holder.with({ variants: 'wrap' }).call.Echo({ Any })).Any.signature, type);
    const kept = await holder.with({ variants: 'keep' }).call.Echo({ Any });
    assert.is((await holder.with({ variants: 'wrap' }).call.Echo(kept)).Any.signature, type);
  }
  assert.match(
    (await rejection(holder.call.Echo({} as never))).message,
    'argument 0.Any: the entry is missing: add it (v)',
  );
});

test('values that are read with their types kept are written with them', async () => {
  const keep = proxy.with({ variants: 'keep' });
  const sent = { Level: variant.u(3), size: variant.q(5), list: variant('a(sv)', [['a', variant.y(1)]]) };
  await raw.set.Known(sent);
  const known = await keep.get.Known();
  assert.equal(known, { Level: 3, size: 5, list: [['a', 1]] });
  known.size = 6;
  await keep.set.Known(known);
  assert.equal(await raw.get.Known(), { ...sent, size: variant.q(6) });
  assert.match(
    (await rejectionOf(keep.set.Known({ ...known, Level: -1 }), InvalidArgumentError)).message,
    'Known.Level',
  );
  // What has a known type is written as that, whatever it was read as.
  const wire = { Name: 'here', Strength: variant.y(5), Flags: variant.au([1, 2]) };
  const elsewhere = await client.proxy(Free, destination, '/points').with({ variants: 'keep' }).call.Echo(wire);
  assert.equal(await keep.call.Echo({ ...elsewhere, Name: 'x' } as never), { ...here, Name: 'x' });
  const settings = await client
    .proxy(Points, destination, '/free')
    .with({ variants: 'keep' })
    .call.Settings({
      connection: { id: 'home', stamp: variant.t(5n) },
      ipv4: { dns: variant.au([1]) },
    });
  settings.connection.id = 'work';
  const untyped = client.proxy(Free, destination, '/free').with({ variants: 'wrap' });
  assert.equal(await untyped.call.Settings(settings), {
    connection: { id: variant.s('work'), stamp: variant.t(5n) },
    ipv4: { dns: variant.au([1]) },
  });
});

class Decorated extends ServiceInterface {
  constructor() {
    super('org.example.Points1');
  }

  @method({ in: [point], out: point })
  Echo(given: { Name: string; Strength: number; Flags?: number[] }): { Name: string; Strength: number } {
    return { Name: `${given.Name}!`, Strength: given.Strength };
  }

  @method({ in: [open], out: [open], variants: 'keep' })
  Open(options: { Level?: number; [key: string]: unknown }): { Level?: number; [key: string]: unknown } {
    return options;
  }

  @signal({ args: [point, 's'] })
  Moved(name: string): Emits<[{ Name: string; Strength: number }, string]> {
    return [{ Name: name, Strength: 1 }, 'x'];
  }

  @property({ type: point })
  accessor Point: { Name: string; Strength: number; Flags?: number[] } = here;

  #known: { Level?: number; [key: string]: unknown } = {};
  @property({ type: open, variants: 'wrap' })
  get Known(): { Level?: number; [key: string]: unknown } {
    return this.#known;
  }
  set Known(known: { Level?: number; [key: string]: unknown }) {
    this.#known = known;
  }
}

test('members of classes have the types of dict()', async () => {
  const object = new Decorated();
  await service.export('/class', object);
  const known = client.proxy(Points, destination, '/class');
  const free = client.proxy(Free, destination, '/class').with({ variants: 'wrap' });
  const own = client.proxy(Decorated, destination, '/class');
  assert.equal(await own.call.Echo({ Name: 'a', Strength: 1 }), { Name: 'a!', Strength: 1 });
  assert.equal(await own.get.Point(), here);
  await own.set.Point({ Name: 'a', Strength: 3 });
  assert.equal(object.Point, { Name: 'a', Strength: 3 });
  assert.throws(() => {
    object.Point = { Name: 'x' } as never;
  }, /property Point.Strength: the entry is missing/);
  await free.set.Known({ Level: variant.u(2), more: variant.q(1) });
  assert.equal(object.Known, { Level: 2, more: variant.q(1) });
  assert.equal(await known.get.Known(), { Level: 2, more: 1 });
  assert.equal(await free.get.Known(), { Level: variant.u(2), more: variant.q(1) });
  assert.match((await rejection(free.set.Known({ Level: 's' }))).message, 'property Known.Level: expected u, got s');
  const sent = { Level: variant.u(2), more: variant.q(1) };
  assert.equal(await free.call.Open(sent), sent);
  const moved = known.once.Moved();
  await client.call({ destination, path: '/', interface: 'org.freedesktop.DBus.Peer', member: 'Ping' });
  object.Moved('class');
  assert.equal(await moved, [{ Name: 'class', Strength: 1 }, 'x']);
  assert.throws(() => object.Moved(5 as never), /\.Name: expected s, got 5/);
});

test('a service that returns other entries fails, and names the key in its own report', async () => {
  const reported = new Promise<Error>((resolve) => process.once('warning', resolve));
  const object = implement(Points, {
    ...members,
    Echo: () => ({ Name: 'x' }) as never,
  });
  await service.export('/wrong', object);
  const wrong = client.proxy(Points, destination, '/wrong');
  await rejection(wrong.call.Echo(here));
  assert.match((await reported).message, /result.Strength: the entry is missing/);
});

test('descriptors in entries that are left out are closed', async () => {
  const [end] = await pipe();
  const Holder = defineInterface('org.example.Holder1', {
    methods: { Take: { out: dict({ Kept: 'h' }) }, Wrong: { out: dict({ Kept: 'h', Name: 's' }) } },
  });
  const Any = defineInterface('org.example.Holder1', { methods: { Take: { out: 'a{sv}' }, Wrong: { out: 'a{sv}' } } });
  const both = () => ({ Kept: variant.h(end), Other: variant.h(end) });
  await service.export('/holder', implement(Any, { Take: both, Wrong: both }));
  const holder = client.proxy(Holder, destination, '/holder');
  const before = openFds();
  const { Kept } = await holder.call.Take();
  await assertFdsLeft(before, 1);
  Kept.close();
  await rejectionOf(holder.call.Wrong(), InvalidReplyError);
  await assertNoFdsLeft(before);
  end.close();
});

test.run();
