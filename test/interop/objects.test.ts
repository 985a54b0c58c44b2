/**
 * A live view of the objects of another implementation: BlueZ as python-dbusmock plays it. After each change the view equals
 * a fresh GetManagedObjects.
 */
import { defineInterface } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingMock, withMock } from '../helpers/mocked-service.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';
import { freshObjects, shownObjects } from '../helpers/view-state.js';

const test = suite('objects of other implementations');

testUnless(missingMock(), test, 'the devices of a mock of BlueZ', () =>
  withMock('bluez5', async (bus) => {
    const Mock = defineInterface('org.bluez.Mock', {
      methods: {
        AddAdapter: { in: 'ss', out: 's' },
        AddDevice: { in: 'sss', out: 's' },
        ConnectDevice: { in: 'ss' },
      },
    });
    const Device = defineInterface('org.bluez.Device1', {
      properties: { Alias: { type: 's' }, Connected: { type: 'b' } },
    });
    const mock = bus.proxy(Mock, 'org.bluez', '/org/bluez');
    await mock.call.AddAdapter('hci0', 'computer');
    using view = bus.objects('org.bluez');
    await view.ready;
    assert.equal(shownObjects(view), await freshObjects(bus, view));
    await mock.call.AddDevice('hci0', '11:22:33:44:55:66', 'Headphones');
    await until(() => view.of(Device).size === 1);
    const [device] = view.of(Device);
    assert.is(device?.values.Alias, 'Headphones');
    const connected = device?.until(({ Connected }) => Connected === true, { timeout: 20_000 });
    await mock.call.ConnectDevice('hci0', '11:22:33:44:55:66');
    await connected;
    assert.equal(shownObjects(view), await freshObjects(bus, view));
  }),
);

test.run();
