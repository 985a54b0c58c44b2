// The policy in the page on deployment, on a bus with the policy of a system bus: the messages that it allows, and those
// that it denies.
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AccessDeniedError, connect, defineInterface, implement } from '../../src/index.js';
import { documentedFiles } from '../helpers/documented-programs.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';
import { testUnless } from '../helpers/skip.js';

const test = suite('the documented policy');
const NAME = 'org.example.Journal';
const PATH = '/org/example/Journal';

const page = readFileSync(join(projectRoot, 'docs/guide/deployment.md'), 'utf8');
const shown = documentedFiles(page).find(({ name }) => name.endsWith('.conf'))?.text ?? '';
// In the documentation root may own the name; here it is the user of the tests.
const policy = shown.replace('user="root"', `user="${userInfo().username}"`);

const Journal = defineInterface(NAME, {
  methods: { Write: { in: ['line:s'], out: ['lines:u'] } },
  properties: { Lines: { type: 'u', access: 'read' } },
});

/** The service and a client under a policy, and the calls of the client. */
async function underPolicy(
  text: string,
  use: (bus: Awaited<ReturnType<typeof connect>>) => Promise<void>,
): Promise<void> {
  await using daemon = await PrivateBus.start({ type: 'system', policy: text });
  await using service = await connect({ address: daemon.address });
  await using client = await connect({ address: daemon.address });
  service.export(PATH, implement(Journal, { Write: () => 1, Lines: 1 }));
  await service.requestName(NAME);
  await use(client);
}

const write = { destination: NAME, path: PATH, member: 'Write', signature: 's', body: ['a line'] };

testUnless(PrivateBus.missing(), test, 'a call with an interface is allowed, and one without is denied', () =>
  underPolicy(policy, async (client) => {
    assert.equal(await client.call({ ...write, interface: NAME }), [1]);
    assert.instance(await rejection(client.call(write)), AccessDeniedError);
    const ping = { destination: NAME, path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    assert.instance(await rejection(client.call(ping)), AccessDeniedError);
    assert.ok((await client.object(NAME, PATH)).interfaces.includes(NAME));
  }),
);

testUnless(PrivateBus.missing(), test, 'properties can be read only if the policy allows Properties', async () => {
  const read = (client: Awaited<ReturnType<typeof connect>>) => client.proxy(Journal, NAME, PATH).get.Lines();
  await underPolicy(policy, async (client) => assert.is(await read(client), 1));
  const without = policy.replace(/<allow [^>]*DBus\.Properties[^>]*>/, '');
  assert.is.not(without, policy);
  await underPolicy(without, async (client) => assert.instance(await rejection(read(client)), AccessDeniedError));
});

test.run();
