// Trees and signals to one connection beyond the connection: a loss with calls that wait, shares, and the end of the bus.
import { channel } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type CallContext,
  connect,
  defineInterface,
  implement,
  type MessageBus,
  type Problem,
  sessionBus,
} from '../../src/index.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { bringBack, connectAgain, lose } from '../helpers/reconnecting.js';
import { testUnless } from '../helpers/skip.js';
import { until } from '../helpers/until.js';

const Unit = defineInterface('org.example.Unit', {
  methods: { Start: { in: 's', out: 's' }, Call: {} },
  signals: { Started: { args: 's' } },
});
const problems: Problem[] = [];
channel('busbar:problem').subscribe((problem) => problems.push(problem as Problem));

for (const kind of ['dbus-daemon', 'dbus-broker'] as Daemon[]) {
  const missing = PrivateBus.missing({ daemon: kind });
  const test = suite(`the ends of trees, on ${kind}`);

  testUnless(missing, test, 'a tree works again after a loss, and no search of the lost bus blocks it', async () => {
    const daemon = await PrivateBus.start({ daemon: kind });
    const [service, client] = [await connectAgain(daemon), await connectAgain(daemon)] as [MessageBus, MessageBus];
    let isStuck = true;
    const started: string[] = [];
    const unit = implement(Unit, {
      Start(how) {
        started.push(how);
        return how;
      },
      Call() {},
    });
    service.export('/kept', unit);
    service.exportTree('/units', {
      children: () => [],
      find: () => (isStuck ? new Promise<undefined>(() => {}) : unit),
    });
    await service.requestName('org.example.Units');
    await client.nameOwner('org.example.Units');
    const { Start } = client.proxy(Unit, 'org.example.Units', '/units/a').call;
    const first = Start('lost').catch(({ name }) => name);
    const second = Start('behind').catch(({ name }) => name);
    await until(() => service.stats().callsInProgress === 2);
    await lose(daemon, service, client);
    assert.equal([await first, await second], ['ConnectionClosedError', 'ConnectionClosedError']);
    isStuck = false;
    await bringBack(daemon, service, client);
    assert.is(service.stats().callsInProgress, 0);
    // The names of both connections may be those that they had before.
    assert.is(await Start('again'), 'again');
    assert.equal(started, ['again']);
    await Promise.all([service.close(), client.close()]);
    await daemon.stop();
  });

  testUnless(missing, test, 'a signal for a caller of a lost connection reaches no other one of its name', async () => {
    const daemon = await PrivateBus.start({ daemon: kind });
    const [service, client] = [await connectAgain(daemon), await connectAgain(daemon)] as [MessageBus, MessageBus];
    let call: CallContext | undefined;
    const unit = implement(Unit, {
      Start: (how) => how,
      Call(context) {
        call = context;
      },
    });
    service.export('/unit', unit);
    const heard: unknown[] = [];
    await client.proxy(Unit, service.uniqueName, '/unit').call.Call();
    await lose(daemon, service, client);
    await bringBack(daemon, service, client);
    const others = await Promise.all(Array.from({ length: 8 }, () => connect({ address: daemon.address })));
    for (const each of [client, ...others]) each.addMessageHandler(({ member }) => void heard.push(member));
    problems.splice(0);
    unit.to(call).emit.Started('private');
    assert.match(problems[0]?.message ?? '', 'was not sent: its connection has ended');
    await service.listNames();
    for (const each of [client, ...others]) await each.listNames();
    assert.not(heard.includes('Started'));
    await Promise.all([service, client, ...others].map((each) => each.close()));
    await daemon.stop();
  });

  testUnless(missing, test, 'a tree ends with the share that exported it, and so do objects that it kept', async () => {
    await using daemon = await PrivateBus.start({ daemon: kind });
    process.env.DBUS_SESSION_BUS_ADDRESS = daemon.address;
    const [first, second] = [await sessionBus(), await sessionBus()] as [MessageBus, MessageBus];
    await using client = await connect({ address: daemon.address });
    const unit = implement(Unit, { Start: (how) => how, Call() {} });
    const tree = first.exportTree('/units', {
      children: () => [],
      find: () => delay(5).then(() => unit),
      manager: true,
    });
    tree.keep('/units/kept', unit);
    second.export('/units/other', unit);
    const call = (path: string) =>
      client
        .proxy(Unit, first.uniqueName, path)
        .call.Start(path)
        .catch(({ name }) => name);
    assert.equal(await Promise.all(['/units/a', '/units/kept', '/units/other'].map(call)), [
      '/units/a',
      '/units/kept',
      '/units/other',
    ]);
    // The call that waits is answered before the share is closed.
    const waiting = call('/units/late');
    await until(() => first.stats().callsInProgress === 1);
    await first.close();
    assert.is(await waiting, '/units/late');
    const unknown = 'UnknownObjectError';
    assert.equal(await Promise.all(['/units/a', '/units/kept', '/units/other'].map(call)), [
      unknown,
      unknown,
      '/units/other',
    ]);
    assert.is(second.stats().exportedObjects, 1);
    await second.close();
    tree.end();
  });

  testUnless(missing, test, 'the end of the bus ends a tree with kept objects and calls that wait', async () => {
    const daemon = await PrivateBus.start({ daemon: kind });
    const service = await connect({ address: daemon.address });
    const client = await connect({ address: daemon.address });
    const unit = implement(Unit, { Start: (how) => how, Call() {} });
    let release: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tree = service.exportTree('/units', { children: () => [], find: () => opened.then(() => unit) });
    void Promise.all([service.disconnected, client.disconnected]);
    const kept = tree.keep('/units/kept', unit);
    const waiting = client.proxy(Unit, service.uniqueName, '/units/a').call.Start('x');
    const failed = waiting.catch(({ name }) => name);
    await until(() => service.stats().callsInProgress === 1);
    await daemon.kill();
    assert.is(await failed, 'ConnectionClosedError');
    await service.disconnected;
    problems.splice(0);
    release?.();
    await delay(1);
    unit.emit.Started('nowhere');
    kept.end();
    tree.end();
    assert.throws(() => tree.keep('/units/b', unit), /has ended/);
    assert.equal(problems, []);
    assert.equal([service.stats().exportedObjects, service.stats().callsInProgress], [0, 0]);
    await client.close();
    await daemon.stop();
  });

  test.run();
}
