// bus.conforms: an object is compared with a definition, a class and introspection data.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  implement,
  introspectionXml,
  method,
  pair,
  parseIntrospection,
  property,
  ServiceInterface,
} from '../../src/index.js';
import { rejection } from '../helpers/rejection.js';

const test = suite('conforms');

class Lamp extends ServiceInterface {
  constructor() {
    super('org.example.Lamp');
  }
  @method({ in: ['level:u'] })
  Dim(_level: number): void {}
  @property({ type: 'u', access: 'read' })
  accessor Level = 0;
}
const Definition = defineInterface('org.example.Lamp', {
  methods: { Dim: { in: ['level:u'] } },
  properties: { Level: { type: 'u', access: 'read' } },
});
const Other = defineInterface('org.example.Lamp', { methods: { Dim: { in: ['level:s'] }, Blink: {} } });

test('an object that has the interface conforms to its class, definition, description and XML', async () => {
  await using buses = await connected();
  const { client } = buses;
  const xml = introspectionXml({
    path: '/lamp',
    interfaces: new Map([[Definition.name, Definition.description]]),
    children: new Map(),
  });
  const described = parseIntrospection(xml).interfaces.get('org.example.Lamp');
  assert.ok(described);
  for (const what of [Lamp, Definition, Definition.description, described]) {
    assert.equal(await client.conforms(what, undefined, '/lamp'), []);
  }
});

test('differences are told: other types, missing members, and members that are not expected', async () => {
  await using buses = await connected();
  const differences = await buses.client.conforms(Other, undefined, '/lamp');
  assert.equal(
    differences.map(({ message }) => message),
    [
      'method org.example.Lamp.Dim has in "u": expected "s"',
      'method org.example.Lamp.Blink does not exist',
      'property org.example.Lamp.Level is not expected',
    ],
  );
});

test('an interface that the object does not have is missing, and an object that does not answer rejects', async () => {
  await using buses = await connected();
  const Missing = defineInterface('org.example.Missing', {});
  const [missing] = await buses.client.conforms(Missing, undefined, '/lamp');
  assert.is(missing?.kind, 'missing');
  const reason = new Error('no longer needed');
  const aborted = buses.client.conforms(Definition, undefined, '/lamp', { signal: AbortSignal.abort(reason) });
  assert.is(await rejection(aborted), reason);
  assert.match(String(await rejection(buses.client.conforms(Definition, undefined, 'lamp'))), /path/);
});

async function connected() {
  const [client, service] = await pair();
  service.export('/lamp', implement(Definition, { Dim() {}, Level: 5 }));
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await service.close();
    },
  };
}

test.run();
