// time limit: 180 s
// `busbar doctor` names what is wrong in set-ups that are broken in one way each.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FakeBus } from '../helpers/fake-bus.js';
import { FilterProxy } from '../helpers/filter-proxy.js';
import { withoutSdbusLibrary } from '../helpers/no-sd-bus.js';
import { projectRoot } from '../helpers/paths.js';
import { PrivateBus } from '../helpers/private-bus.js';
import type { ProgramOptions } from '../helpers/program.js';
import { testUnless } from '../helpers/skip.js';
import { busbar } from './command-line.js';

const test = suite('busbar doctor');
const folder = mkdtempSync(join(tmpdir(), 'busbar-doctor-'));
chmodSync(folder, 0o755);
test.after(() => rmSync(folder, { recursive: true, force: true }));

interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed';
  readonly text: string;
  readonly cure?: string;
}

/** Variables of the machine must not decide. */
const BARE = { DBUS_SESSION_BUS_ADDRESS: undefined, XDG_RUNTIME_DIR: undefined, BUSBAR_PREBUILD: undefined };

/** What doctor finds about the session bus, and the exit code. */
async function diagnosis(
  env: Readonly<Record<string, string | undefined>>,
  options: ProgramOptions = {},
): Promise<{ readonly code: number | null; readonly found: readonly Finding[] }> {
  const words = ['doctor', '--session', '--json', '--timeout', '2'];
  const { code, stdout, stderr } = await busbar(undefined, words, { ...options, env: { ...BARE, ...env } });
  assert.match(stderr, /^$|^busbar: .*checks? failed\n$/);
  return { code, found: JSON.parse(stdout) as Finding[] };
}

/** Checks that one finding says so, and no other one failed. */
function assertFound(
  { code, found }: Awaited<ReturnType<typeof diagnosis>>,
  result: 'warning' | 'failed',
  check: string,
  text: RegExp,
  cure: RegExp,
): void {
  const finding = found.find((each) => each.check === check && each.result === result);
  assert.ok(finding !== undefined, JSON.stringify(found, null, 2));
  assert.match(finding.text, text);
  assert.match(finding.cure ?? '', cure);
  assert.is(code, found.some((each) => each.result === 'failed') ? 1 : 0);
}

const SESSION = 'the session bus';
const ADDON = 'native addon';

testUnless(PrivateBus.missing(), test, 'nothing is wrong on a bus that works', async () => {
  await using bus = await PrivateBus.start();
  const { code, found } = await diagnosis({ DBUS_SESSION_BUS_ADDRESS: bus.address });
  assert.is(code, 0);
  assert.equal(
    found.filter(({ result }) => result !== 'ok'),
    [],
  );
  const plain = await busbar(bus, ['doctor', '--session'], { env: BARE });
  assert.match(plain.stdout, /^✓ runtime: Node.js .*\n/);
});

test('no bus', async () => {
  const none = { DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/none` };
  assertFound(await diagnosis(none), 'failed', SESSION, /ENOENT/, /start a bus: dbus-run-session/);
  const unset = await diagnosis({ XDG_RUNTIME_DIR: 'relative' });
  assertFound(unset, 'failed', 'XDG_RUNTIME_DIR', /not an absolute path/, /log in/);
});

test('a runtime folder that cannot be reached', async () => {
  const found = await diagnosis({ XDG_RUNTIME_DIR: join(folder, 'absent') });
  assertFound(found, 'warning', 'XDG_RUNTIME_DIR', /cannot be reached \(ENOENT\)/, /log in/);
  assertFound(found, 'failed', SESSION, /XDG_RUNTIME_DIR/, /start a bus/);
});

testUnless(PrivateBus.missing(), test, 'a stale socket, and another guid', async () => {
  await using bus = await PrivateBus.start();
  const wrong = { DBUS_SESSION_BUS_ADDRESS: `${bus.address},guid=${'0123456789abcdef'.repeat(2)}` };
  assertFound(await diagnosis(wrong), 'failed', SESSION, /guid/, /guid of an earlier bus/);
  await bus.kill();
  const stale = { DBUS_SESSION_BUS_ADDRESS: bus.address };
  assertFound(await diagnosis(stale), 'failed', SESSION, /ECONNREFUSED/, /left this socket behind/);
});

test('an address that is none', async () => {
  const found = await diagnosis({ DBUS_SESSION_BUS_ADDRESS: 'nonsense' });
  assertFound(found, 'failed', SESSION, /DBUS_SESSION_BUS_ADDRESS/, /correct the address/);
});

test('another server, a server that wants cookies, and one that never answers', async () => {
  const http = { text: 'HTTP/1.1 400 Bad Request\r\n\r\n', hangUp: true };
  await using web = await FakeBus.start({ handshake: http });
  const cookies = { text: 'REJECTED DBUS_COOKIE_SHA1\r\n', hangUp: true };
  await using old = await FakeBus.start({ handshake: cookies });
  await using silent = await FakeBus.start({ answer: () => 'silence' });
  const of = (bus: FakeBus) => diagnosis({ DBUS_SESSION_BUS_ADDRESS: bus.address });
  assertFound(await of(web), 'failed', SESSION, /not a D-Bus server/, /another kind of server/);
  assertFound(await of(old), 'failed', SESSION, /DBUS_COOKIE_SHA1/, /does not accept EXTERNAL/);
  assertFound(await of(silent), 'failed', SESSION, /2000 ms|ETIMEDOUT/, /stopped, or too busy/);
});

testUnless(PrivateBus.missing(), test, 'a bus that is stopped', async () => {
  await using bus = await PrivateBus.start();
  await bus.kill('SIGSTOP');
  try {
    const found = await diagnosis({ DBUS_SESSION_BUS_ADDRESS: bus.address });
    assertFound(found, 'failed', SESSION, /2000 ms|ETIMEDOUT/, /stopped, or too busy/);
  } finally {
    await bus.kill('SIGCONT');
  }
});

testUnless(PrivateBus.missing(), test, 'no sd-bus library', async () => {
  await using bus = await PrivateBus.start();
  const found = await diagnosis({ ...withoutSdbusLibrary(), DBUS_SESSION_BUS_ADDRESS: bus.address });
  assertFound(found, 'warning', 'sd-bus library', /there is none/, /libsystemd0/);
});

/** A folder with `prebuilds` for this machine, made by a function. */
function prebuilds(name: string, fill: (machine: string) => void): string {
  const machine = join(folder, name, 'prebuilds', `linux-${process.arch}`);
  mkdirSync(machine, { recursive: true });
  fill(machine);
  return join(folder, name);
}

test('no binary, a damaged one, one of another C library, and addons that Node.js does not allow', async () => {
  const empty = prebuilds('empty', () => {});
  assertFound(await diagnosis({ BUSBAR_PREBUILD: empty }), 'failed', ADDON, /could not be loaded/, /./);
  const damaged = prebuilds('damaged', (machine) => {
    for (const library of ['glibc', 'musl']) writeFileSync(join(machine, `busbar.${library}.node`), '');
  });
  assertFound(await diagnosis({ BUSBAR_PREBUILD: damaged }), 'failed', ADDON, /file too short/, /install busbar again/);
  const own = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined;
  const other = own?.header?.glibcVersionRuntime === undefined ? 'glibc' : 'musl';
  const foreign = prebuilds('foreign', (machine) => {
    const file = `busbar.${other}.node`;
    cpSync(join(projectRoot, 'prebuilds', `linux-${process.arch}`, file), join(machine, file));
  });
  assertFound(await diagnosis({ BUSBAR_PREBUILD: foreign }), 'failed', ADDON, new RegExp(`busbar.${other}.node`), /./);
  const forbidden = await diagnosis({ NODE_OPTIONS: '--no-addons' });
  assertFound(forbidden, 'failed', ADDON, /addons is disabled/, /--no-addons/);
});

testUnless(PrivateBus.missing() ?? FilterProxy.missing(), test, 'a sandbox', async () => {
  await using bus = await PrivateBus.start();
  await using proxy = await FilterProxy.start(bus.address);
  const found = await diagnosis({ DBUS_SESSION_BUS_ADDRESS: proxy.address });
  assertFound(found, 'warning', SESSION, /a sandbox \(xdg-dbus-proxy\)/, /--own-name/);
});

const notRoot = process.getuid?.() === 0 ? undefined : 'only root can run as another user';

testUnless(PrivateBus.missing() ?? notRoot, test, 'the bus of another user', async () => {
  await using bus = await PrivateBus.start();
  const path = bus.address.slice('unix:path='.length);
  chmodSync(join(path, '..'), 0o755);
  chmodSync(path, 0o777);
  const found = await diagnosis({ DBUS_SESSION_BUS_ADDRESS: bus.address, HOME: folder }, { uid: 65_534, gid: 65_534 });
  assertFound(found, 'failed', SESSION, /user/, /bus of another user/);
});

test.run();
