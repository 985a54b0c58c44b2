/**
 * The quickstart under its bus policy, on a bus with the policy of a system bus: which users may own the name, and which
 * may call.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { missingPrograms } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { run } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { halfArguments, interfaceName, name, path, startService } from './quickstart-service.js';

const test = suite('system bus');
const policy = 'examples/quickstart/org.example.dbustest.conf';
const notRoot = process.getuid?.() === 0 ? undefined : 'only root can be several users';
const missing = PrivateBus.missing() ?? notRoot ?? missingPrograms('busctl');

/** The user and group that owns no files, by convention. */
const nobody = { uid: 65534, gid: 65534 };

async function onSystemBus(options: { policy?: string }, use: (bus: PrivateBus) => Promise<void>): Promise<void> {
  const bus = await PrivateBus.start({ type: 'system', ...options });
  try {
    await use(bus);
  } finally {
    await bus.stop();
  }
}

const callAs = (bus: PrivateBus, user: { uid?: number; gid?: number }) =>
  run('busctl', ['--system', 'call', name, path, interfaceName, 'TestMethod', 'sa{sas}', 'kvm', '0'], {
    env: bus.env,
    ...user,
  });

testUnless(missing, test, 'root may own the name, and every user may call', () =>
  onSystemBus({ policy }, async (bus) => {
    await using service = await startService(bus, '--system');
    assert.ok(service.running);
    assert.is((await callAs(bus, {})).stdout, 's "Success"\n');
    assert.is((await callAs(bus, nobody)).stdout, 's "Success"\n');
  }),
);

testUnless(missing, test, 'busbar calls under the policy as any user', () =>
  onSystemBus({ policy }, async (bus) => {
    await using service = await startService(bus, '--system');
    assert.ok(service.running);
    const client = await run(process.execPath, halfArguments('client', '--system'), { env: bus.env, ...nobody });
    assert.is(client.stderr, '');
    assert.match(client.stdout, 'TestMethod says Success');
  }),
);

testUnless(missing, test, 'other users are refused the name, with the reason', () =>
  onSystemBus({ policy }, async (bus) => {
    const service = await run(process.execPath, halfArguments('service', '--system'), { env: bus.env, ...nobody });
    assert.is(service.code, 1);
    assert.match(service.stderr, 'AccessDenied');
    assert.match(service.stderr, name);
  }),
);

testUnless(missing, test, 'without the policy not even root gets the name', () =>
  onSystemBus({}, async (bus) => {
    const service = await run(process.execPath, halfArguments('service', '--system'), { env: bus.env });
    assert.is(service.code, 1);
    assert.match(service.stderr, 'AccessDenied');
  }),
);

test.run();
