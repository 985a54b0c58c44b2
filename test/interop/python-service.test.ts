/** A client of busbar on the Python service of the quickstart: the typed proxy, and the one from introspection data. */
import { connect, type MessageBus, UnknownMethodError } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TestModule } from '../../examples/quickstart/module.js';
import { PrivateBus } from '../helpers/private-bus.js';
import type { Program } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import {
  devices,
  emitted,
  initialStates,
  interfaceName,
  missingPythonService,
  name,
  path,
  startPythonService,
} from './quickstart-service.js';

const test = suite('python service');
const missing = PrivateBus.missing() ?? missingPythonService;

async function withService(use: (bus: MessageBus, service: Program) => Promise<void>): Promise<void> {
  const daemon = await PrivateBus.start();
  try {
    const service = await startPythonService(daemon);
    const bus = await connect({ address: daemon.address });
    try {
      await use(bus, service);
    } finally {
      await bus.close();
      await service.stop();
    }
  } finally {
    await daemon.stop();
  }
}

testUnless(missing, test, 'a method is called with nested containers and answers', () =>
  withService(async (bus, service) => {
    const module = bus.proxy(TestModule, name, path);
    assert.is(await module.call.TestMethod('kvm', devices), 'Success');
    assert.equal(await service.event('call'), { event: 'call', kind: 'kvm', devices });
    assert.is(await module.call.TestMethod('hyperv', {}), 'Fail: no machine of this kind');
  }),
);

testUnless(missing, test, 'a signal reaches the callback', () =>
  withService(async (bus) => {
    const module = bus.proxy(TestModule, name, path);
    const heard = new Promise((resolve) => module.on.TestSignal(resolve));
    await module.call.TestMethod('kvm', devices);
    assert.equal(await heard, emitted);
  }),
);

testUnless(missing, test, 'a property is read and written, and its change is received', () =>
  withService(async (bus, service) => {
    const module = bus.proxy(TestModule, name, path);
    assert.equal(await module.get.TestProperty(), initialStates);
    const changed = new Promise((resolve) => module.onChange(resolve));
    const states = { web: 'stopped', größe: '∞' };
    await module.set.TestProperty(states);
    assert.equal(await service.event('set'), { event: 'set', value: states });
    assert.equal(await changed, { TestProperty: states });
    assert.equal(await module.get.TestProperty(), states);
    assert.equal(await module.getAll(), { TestProperty: states });
  }),
);

testUnless(missing, test, 'introspection gives a proxy of the same shape', () =>
  withService(async (bus) => {
    const object = await bus.object(name, path);
    const module = object.interface(interfaceName);
    const heard = new Promise((resolve) => module.on.TestSignal?.(resolve));
    assert.is(await module.call.TestMethod?.('kvm', devices), 'Success');
    assert.equal(await heard, emitted);
    assert.equal(await module.get.TestProperty?.(), initialStates);
  }),
);

testUnless(missing, test, 'the error of the service arrives with its name', () =>
  withService(async (bus) => {
    const call = { destination: name, path, interface: interfaceName, member: 'NoSuchMethod' };
    try {
      await bus.call(call);
      assert.unreachable('the service has no such method');
    } catch (error) {
      assert.instance(error, UnknownMethodError);
    }
  }),
);

test.run();
