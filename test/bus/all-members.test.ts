// The members of all interfaces of an introspected object, by their names alone.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, InvalidArgumentError, implement, standard } from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('all members');
const { client, service, stop } = await startClientAndService();
const One = defineInterface('org.example.One', {
  methods: { First: { out: 's' }, Same: { out: 's' } },
  signals: { Said: { args: 's' } },
  properties: { Level: { type: 'u' }, Fixed: { type: 'u', access: 'read' } },
});
const Two = defineInterface('org.example.Two', { methods: { Second: { out: 's' }, Same: { out: 's' } } });
const one = implement(One, { First: () => 'first', Same: () => 'one', Level: 1, Fixed: 2 });
service.export('/object', one, implement(Two, { Second: () => 'second', Same: () => 'two' }));

test.after(stop);

test('members of every interface are called, read, written and listened to', async () => {
  const all = (await client.object(service.uniqueName, '/object')).all();
  assert.equal([await all.call.First?.(), await all.call.Second?.()], ['first', 'second']);
  await all.set.Level?.(5);
  assert.equal([await all.get.Level?.(), await all.get.Fixed?.()], [5, 2]);
  const heard = all.once.Said?.();
  await client.listNames();
  one.emit.Said('hello');
  assert.equal(await heard, ['hello']);
  // The standard interfaces of every object belong to it.
  assert.type(await all.call.GetMachineId?.(), 'string');
});

test('a member of several interfaces, and an absent one, throw an error that helps', async () => {
  const all = (await client.object(service.uniqueName, '/object')).all();
  const refused = (run: () => unknown, text: RegExp) => {
    const error = thrown(run);
    assert.instance(error, InvalidArgumentError);
    assert.match(error.message, text);
  };
  refused(
    () => all.call.Same,
    /^call\.Same: org\.example\.One and org\.example\.Two have a method of this name; use interface\('org\.example\.One'\)\.call\.Same$/,
  );
  refused(() => all.call.Frist, /has no method "Frist"; did you mean First/);
  refused(() => all.set.Fixed, /Fixed is a property that can only be read/);
});

test('the standard interfaces have definitions', async () => {
  const driver = client.proxy(standard.Bus, 'org.freedesktop.DBus', '/org/freedesktop/DBus');
  assert.ok((await driver.call.ListNames()).includes(String(client.uniqueName)));
  assert.is(await driver.call.GetNameOwner('org.freedesktop.DBus'), 'org.freedesktop.DBus');
  assert.ok(Array.isArray(await driver.get.Interfaces()));
  const object = ['/object'] as const;
  await client.proxy(standard.Peer, service.uniqueName, ...object).call.Ping();
  const xml = await client.proxy(standard.Introspectable, service.uniqueName, ...object).call.Introspect();
  assert.match(xml, /org\.example\.Two/);
  const level = await client.proxy(standard.Properties, service.uniqueName, ...object).call.Get(One.name, 'Fixed');
  assert.is(level, 2);
});

/** The members that the bus itself describes, which this version of it has. */
test('the definitions of the bus have the types that the bus has', async () => {
  const { node } = await client.object('org.freedesktop.DBus', '/org/freedesktop/DBus');
  let compared = 0;
  for (const { description } of [
    standard.Bus,
    standard.Monitoring,
    standard.Stats,
    standard.Peer,
    standard.Introspectable,
  ]) {
    const described = node.interfaces.get(description.name);
    for (const [name, { inSignature, outSignature }] of described?.methods ?? []) {
      const own = description.methods.get(name);
      if (own === undefined) continue;
      assert.equal([own.inSignature, own.outSignature], [inSignature, outSignature], name);
      compared++;
    }
    for (const [name, { signature }] of described?.signals ?? []) {
      const own = description.signals.get(name);
      if (own !== undefined) assert.is(own.signature, signature, name);
    }
  }
  assert.ok(compared > 15);
});

test.run();
