// The systemd units of a process, from the text of its control group.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unitsOf } from '../../src/bus/callers/systemd-unit.js';

const test = suite('systemd units');

const cases: readonly (readonly [string, string | undefined, string | undefined])[] = [
  ['/system.slice/cups.service', 'cups.service', undefined],
  ['/system.slice/cups.service/worker', 'cups.service', undefined],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service', undefined],
  ['/init.scope', 'init.scope', undefined],
  ['/user.slice/user-1000.slice/session-2.scope', 'session-2.scope', undefined],
  [
    '/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-org.gnome.Maps-42.scope',
    'user@1000.service',
    'app-gnome-org.gnome.Maps-42.scope',
  ],
  ['/user.slice/user-1000.slice/user@1000.service/init.scope', 'user@1000.service', 'init.scope'],
  ['/user.slice/user-1000.slice/user@1000.service', 'user@1000.service', undefined],
  // A manager of a user within a session, as systemd before 220 had it.
  ['/user.slice/user-1000.slice/session-2.scope/app.slice/dbus.service', 'session-2.scope', 'dbus.service'],
  // A name that the kernel uses itself has an underscore before it.
  ['/system.slice/_cpu.service', 'cpu.service', undefined],
  ['/machine.slice/machine-web\\x2d1.scope/payload', 'machine-web\\x2d1.scope', undefined],
  ['/', undefined, undefined],
  ['/system.slice', undefined, undefined],
  ['/docker/4f1c', undefined, undefined],
  // Of another namespace of control groups.
  ['/../../system.slice/cups.service', undefined, undefined],
  ['/system.slice/not a unit/cups.service', undefined, undefined],
  [`/system.slice/${'a'.repeat(250)}.service`, undefined, undefined],
];

for (const [path, unit, userUnit] of cases) {
  test(`${path.slice(0, 80)}: ${unit}, ${userUnit}`, () => {
    assert.equal(unitsOf(`0::${path}\n`), { unit, userUnit });
    assert.equal(unitsOf(`12:cpu,cpuacct:/wrong.slice/wrong.service\n1:name=systemd:${path}\n0::/wrong.service\n`), {
      unit,
      userUnit,
    });
  });
}

test('a text without the hierarchy of systemd has no units', () => {
  assert.equal(unitsOf('3:cpu:/system.slice/cups.service\n'), { unit: undefined, userUnit: undefined });
  assert.equal(unitsOf(''), { unit: undefined, userUnit: undefined });
});

test.run();
