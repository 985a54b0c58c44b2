// Methods that return the paths of objects, of which a proxy makes proxies: what they are, what they keep, what is refused.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  InvalidReplyError,
  implement,
  introspectionXml,
  method,
  TimeoutError,
} from '../../src/index.js';
import { startClientAndService } from '../helpers/client-and-service.js';
import { rejection, thrown } from '../helpers/rejection.js';

const { client, service, destination, stop } = await startClientAndService();
const test = suite('returned objects');

const Job = defineInterface('org.example.Job', {
  methods: { Describe: { out: 's' }, Never: {}, Any: { out: 'v' } },
  signals: { Done: { args: ['result:s'] } },
});
const Unit = defineInterface('org.example.Unit', {
  methods: { Start: { in: ['mode:s'], out: ['job:o'], returns: Job } },
  properties: { Name: { type: 's', access: 'read' } },
});
const Manager = defineInterface('org.example.Manager', {
  methods: {
    GetUnit: { in: ['name:s'], out: 'o', returns: Unit },
    ListUnits: { out: ['units:ao'], returns: Unit },
    Both: { out: ['name:s', 'unit:o', 'jobs:ao', 'other:o'], returns: [undefined, Unit, Job, undefined] },
    One: { out: ['unit:o'], returns: [Unit] },
  },
});

const jobs = { a: implement(Job, jobOf('a')), b: implement(Job, jobOf('b')) };
function jobOf(name: string) {
  return { Describe: () => `the job of ${name}`, Never: () => new Promise<void>(() => {}), Any: () => 5 };
}
const PATHS = ['/units/a', '/units/b'];
service.export(
  '/',
  implement(Manager, {
    GetUnit: (name) => `/units/${name}`,
    ListUnits: () => PATHS,
    Both: () => ['both', '/units/a', ['/jobs/a', '/jobs/b'], '/'],
    One: () => '/',
  }),
);
for (const name of ['a', 'b'] as const) {
  service.export(`/units/${name}`, implement(Unit, { Start: () => `/jobs/${name}`, Name: `unit ${name}` }));
  service.export(`/jobs/${name}`, jobs[name]);
}
const manager = client.proxy(Manager, destination, '/');

test('a path is a proxy of its object, and so on', async () => {
  const unit = await manager.call.GetUnit('a');
  assert.equal([unit.path, unit.interface, unit.destination], ['/units/a', 'org.example.Unit', destination]);
  assert.is(await unit.get.Name(), 'unit a');
  const job = await unit.call.Start('replace');
  assert.is(await job.call.Describe(), 'the job of a');
  assert.is((await manager.call.One()).path, '/');
});

test('an array of paths is an array of proxies', async () => {
  const units = await manager.call.ListUnits();
  assert.equal(await Promise.all(units.map((unit) => unit.get.Name())), ['unit a', 'unit b']);
});

test('of several results, those with an interface are proxies', async () => {
  const [name, unit, [first, second], other] = await manager.call.Both();
  assert.equal([name, other, unit.path], ['both', '/', '/units/a']);
  assert.is(await first?.call.Describe(), 'the job of a');
  assert.is(await second?.call.Describe(), 'the job of b');
});

test('a signal of the object is heard from its proxy', async () => {
  const job = await (await manager.call.GetUnit('b')).call.Start('fail');
  const heard: string[] = [];
  const subscription = job.on.Done((result) => heard.push(result));
  await subscription.ready;
  jobs.b.emit.Done('failed');
  await job.call.Describe();
  assert.equal(heard, ['failed']);
  subscription.end();
});

test('the proxies have the options of the proxy that was called', async () => {
  const patient = manager.with({ timeout: 50, variants: 'wrap' });
  const job = await (await patient.call.GetUnit('a')).call.Start('');
  assert.instance(await rejection(job.call.Never()), TimeoutError);
  assert.equal((await job.call.Any()).signature, 'i');
});

test('objects that are followed make proxies as others do', async () => {
  const unit = await client.cached(Unit, destination, '/units/a');
  assert.is(await (await unit.call.Start('')).call.Describe(), 'the job of a');
  unit.end();
});

test('a reply of another type is refused, or handed over as it is by a loose proxy', async () => {
  const Liar = defineInterface('org.example.Liar', { methods: { Get: { out: 'o', returns: Unit } } });
  service.export(
    '/liar',
    implement(defineInterface('org.example.Liar', { methods: { Get: { out: 's' } } }), { Get: () => '/x' }),
  );
  const liar = client.proxy(Liar, destination, '/liar');
  assert.instance(await rejection(liar.call.Get()), InvalidReplyError);
  assert.is(await liar.with({ loose: true }).call.Get(), '/x');
  assert.is(await liar.with({ noReply: true }).call.Get(), undefined);
});

test('introspection data and the implementation know paths alone', () => {
  const interfaces = new Map([[Manager.name, Manager.description]]);
  const xml = introspectionXml({ path: '/', interfaces, children: new Map() });
  assert.match(xml, /<arg name="unit" type="o" direction="out"\/>/);
  assert.not.match(xml, /returns/);
});

test('"returns" that does not fit "out" is refused', () => {
  const define = (options: object) => () => defineInterface('org.example.X', { methods: { Get: options as never } });
  const refused: readonly (readonly [object, RegExp])[] = [
    [{ out: 's', returns: Unit }, /the result 0 has the signature "s", but objects are returned as "o" or "ao"/],
    [{ returns: Unit }, /"returns" has 1 of the 0 results in "out"/],
    [{ out: 'oo', returns: Unit }, /"returns" has 1 of the 2 results in "out": give an array/],
    [{ out: 'o', returns: [Unit, Unit] }, /"returns" has 2 of the 1 results/],
    [{ out: 'so', returns: [Unit, undefined] }, /the result 0 has the signature "s"/],
    [{ out: 'o', returns: 'org.example.Unit' }, /"returns": expected the result of defineInterface\(\)/],
    [{ out: 'o', returns: null }, /"returns": expected the result of defineInterface\(\)/],
    [{ out: 'a{so}', returns: Unit }, /has the signature "a\{so\}"/],
  ];
  for (const [options, text] of refused) assert.match(thrown(define(options)).message, text);
});

test('a decorator has no such option: the types of a class are those of its methods', () => {
  assert.match(thrown(() => method({ out: 'o', returns: Unit } as never)).message, /returns/);
});

test.after(stop);
test.run();
