// Objects for interfaces that are only known at run time: from introspection data.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type DBusError,
  type InterfaceDescription,
  InvalidArgumentError,
  implement,
  parseIntrospection,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('implementations of descriptions');
const { client, service, destination, stop } = await startClientAndService();
test.after(stop);

const XML = `<node>
  <interface name="org.example.Parsed">
    <method name="Add"><arg type="i" name="a" direction="in"/><arg type="i" name="b" direction="in"/><arg type="i" direction="out"/></method>
    <signal name="Added"><arg type="i" name="sum"/></signal>
    <property name="Total" type="i" access="readwrite"/>
    <property name="Text" type="s" access="read"/>
  </interface>
  <interface name="org.example.Overloaded"><method name="Get"><arg type="s" direction="in"/></method><method name="Get"/></interface>
</node>`;
const { interfaces } = parseIntrospection(XML);
const parsed = interfaces.get('org.example.Parsed') as InterfaceDescription;

test('methods, signals and properties work as those of a definition', async () => {
  let text = 'first';
  const object = implement(parsed, {
    Add(a, b, context) {
      assert.is((context as { member: string }).member, 'Add');
      const sum = (a as number) + (b as number);
      object.properties.Total = sum;
      object.emit.Added?.(sum);
      return sum;
    },
    Total: 0,
    Text: { get: () => text },
  });
  using _export = service.export('/parsed', object);
  const remote = await client.object(destination, '/parsed');
  const proxy = remote.interface('org.example.Parsed');
  assert.equal(remote.node.interfaces.get('org.example.Parsed'), parsed);
  const heard: unknown[] = [];
  await proxy.on.Added?.((sum: unknown) => void heard.push(sum)).ready;
  assert.is(await proxy.call.Add?.(2, 3), 5);
  assert.equal(heard, [5]);
  assert.is(await proxy.get.Total?.(), 5);
  await proxy.set.Total?.(9);
  text = 'second';
  assert.equal(await proxy.getAll(), { Total: 9, Text: 'second' });
  const once = proxy.once.Added?.();
  object.to(client.uniqueName).emit.Added?.(7);
  assert.equal(await once, [7]);
  const error = (await rejection(proxy.call.Add?.('a', 1) as Promise<unknown>)) as DBusError;
  assert.instance(error, InvalidArgumentError);
});

test('two objects of one description', async () => {
  const members = { Add: () => 1, Total: 1, Text: 'x' };
  const objects = [implement(parsed, members), implement(parsed, { ...members, Total: 2 })];
  assert.equal(
    objects.map(({ properties }) => properties.Total),
    [1, 2],
  );
});

test('missing members, overloads and other values are refused', () => {
  const cases: readonly [unknown, object, string][] = [
    [parsed, { Add: () => 1, Total: 1 }, 'has no property Text: add its first value'],
    [parsed, { Add: () => 1, Total: 'x', Text: '' }, 'Total'],
    [parsed, { Add: () => 1, Total: 1, Text: '', Sum: 1 }, 'has no method or property Sum'],
    [interfaces.get('org.example.Overloaded'), { Get: () => {} }, 'has several methods Get'],
    [interfaces, {}, 'expected the result of defineInterface(), or one of the interfaces'],
    [undefined, {}, 'expected the result of defineInterface()'],
    [XML, {}, 'expected the result of defineInterface()'],
    [{}, {}, 'expected the result of defineInterface()'],
  ];
  for (const [given, members, text] of cases) {
    const error = thrown(() => implement(given as InterfaceDescription, members as never));
    assert.instance(error, InvalidArgumentError, text);
    assert.match(error.message, text);
  }
});

test.run();
