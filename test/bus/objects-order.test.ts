// The order of the objects of a view: that in which they appeared, whichever of them the program uses first.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { connect, defineInterface, implement } from '../../src/index.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { until } from '../helpers/until.js';

const test = suite('the order of objects');
const NAME = 'org.example.Ordered';
const Device = defineInterface('org.example.Ordered1', { properties: { Level: { type: 'u' } } });
const paths = ['/a', '/b', '/c', '/d'];

for (const used of [[], ['/c'], ['/d', '/b'], ['/c', '/a']]) {
  for (const later of [0, 1, 2]) {
    test(`objects are in the order of their appearance: ${later} later, ${used.join(' and ') || 'none'} used`, async () => {
      await using daemon = await PrivateBus.start();
      await using service = await connect({ address: daemon.address });
      await using client = await connect({ address: daemon.address });
      const devices = new Map(paths.map((path) => [path, implement(Device, { Level: 1 })]));
      const add = (path: string) => service.export(path, devices.get(path) as never);
      service.exportObjectManager('/');
      const first = paths.length - later;
      for (const path of paths.slice(0, first)) add(path);
      await service.requestName(NAME);
      using view = client.objects(NAME);
      await view.ready;
      for (const path of paths.slice(first)) add(path);
      await until(() => view.size === paths.length);
      for (const path of used) assert.is(view.get(path)?.path, path);
      assert.equal(
        [...view.of(Device)].map(({ path }) => path),
        paths,
      );
      assert.equal(
        [...view].map(({ path }) => path),
        paths,
      );
    });
  }
}

test.run();
