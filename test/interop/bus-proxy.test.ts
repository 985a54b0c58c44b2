// time limit: 180 s
// Buses behind xdg-dbus-proxy --filter, as for programs in Flatpak and firejail. Versions before 0.1.6 read the handshake
// line by line, and disconnect sd-bus, which sends all of its lines at once.
import { connect, ServiceUnknownError } from 'busbar';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { transportKind } from '../../src/native/runtime.js';
import { FilterProxy } from '../helpers/filter-proxy.js';
import { programArguments } from '../helpers/own-runtime.js';
import { type Daemon, PrivateBus } from '../helpers/private-bus.js';
import { Program, run } from '../helpers/program.js';
import { rejection } from '../helpers/rejection.js';
import { skip, testUnless } from '../helpers/skip.js';
import { halfArguments, name } from './quickstart-service.js';

const test = suite('buses behind a proxy');

const POLICIES = [`--own=${name}`, `--own=${name}.*`, `--talk=${name}`];

for (const daemon of ['dbus-daemon', 'dbus-broker'] satisfies Daemon[]) {
  const missing = FilterProxy.missing() ?? PrivateBus.missing({ daemon });
  if (transportKind() === 'sd-bus') {
    testUnless(
      missing,
      test,
      `sd-bus can connect to ${daemon} through the proxy, or the error says which transport can`,
      async () => {
        await using bus = await PrivateBus.start({ daemon });
        await using proxy = await FilterProxy.start(bus.address, ...POLICIES);
        // The socket transport can connect through every version of the proxy.
        await (await connect({ address: proxy.address, transport: 'socket' })).close();
        const attempt = connect({ address: proxy.address });
        const error = await attempt.then(
          (connection) => connection.close(),
          (reason: Error) => reason,
        );
        if (error instanceof Error) assert.match(error.message, "the error of the transport 'socket' says which");
      },
    );
    continue;
  }

  testUnless(
    missing,
    test,
    `the two programs of the quickstart find each other on ${daemon} through the proxy`,
    async () => {
      await using bus = await PrivateBus.start({ daemon });
      await using proxy = await FilterProxy.start(bus.address, ...POLICIES);
      for (const [there, here] of [
        [proxy.address, proxy.address],
        [bus.address, proxy.address],
        [proxy.address, bus.address],
      ] as const) {
        await using service = Program.start(process.execPath, halfArguments('service'), {
          env: { ...bus.env, DBUS_SESSION_BUS_ADDRESS: there },
        });
        await service.line('ready');
        const client = await run(process.execPath, halfArguments('client'), {
          env: { ...bus.env, DBUS_SESSION_BUS_ADDRESS: here },
        });
        assert.is(client.code, 0, client.stderr);
        assert.match(client.stdout, 'TestMethod says Success');
        const { code } = await service.stop();
        assert.is(code, 0);
      }
    },
  );

  testUnless(missing, test, `descriptors pass in both directions on ${daemon} through the proxy`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    await using proxy = await FilterProxy.start(bus.address, ...POLICIES);
    const args = programArguments('test/interop/pass-descriptors.ts');
    const env = { ...bus.env, DBUS_SESSION_BUS_ADDRESS: proxy.address };
    const { code, stdout, stderr } = await run(process.execPath, args, { env });
    assert.is(code, 0, stderr);
    assert.match(stdout, /^descriptors true$/m);
    assert.match(stdout, /^own process true$/m);
  });

  testUnless(missing, test, `a call that the proxy of ${daemon} rejects has its own error`, async () => {
    await using bus = await PrivateBus.start({ daemon });
    await using proxy = await FilterProxy.start(bus.address, ...POLICIES);
    await using connection = await connect({ address: proxy.address });
    // The proxy itself answers a rejected call, without a sender.
    const other = { path: '/', interface: 'org.example.Other', member: 'Any' };
    assert.instance(await rejection(connection.requestName('org.example.Other')), ServiceUnknownError);
    await using hidden = await connect({ address: bus.address });
    const calls = [
      connection.call({ ...other, destination: hidden.uniqueName }),
      connection.call({ ...other, destination: 'org.example.Other' }),
    ];
    for (const call of calls)
      assert.match((await rejection(call)).message, /org\.freedesktop\.DBus\.Error\.|not|name/i);
    assert.is(await connection.hasName('org.example.Other'), false);
    assert.is(connection.stats().unexpectedReplies, 0);
    await connection.requestName(name);
  });
}

if (FilterProxy.missing() !== undefined) skip(test, 'buses behind a proxy', FilterProxy.missing() as string);

test.run();
