/** systemd and its daemons. */
import type { Family } from './family.js';

export const systemd1: Family = {
  title: 'systemd, the manager of the system and of user sessions (system bus, session bus)',
  prefix: 'org.freedesktop.systemd1.',
  constants: {
    NAME: ['org.freedesktop.systemd1', 'The well-known name of the manager.'],
    PATH: ['/org/freedesktop/systemd1', 'The object of the manager.'],
  },
  docs: {
    Manager: 'The manager of units and jobs.',
    'Manager.StartUnit': 'Queues a job that starts a unit. `JobRemoved` announces its end.',
    'Manager.StartUnit.mode': '`replace`, `fail`, `isolate`, `ignore-dependencies` or `ignore-requirements`',
    'Manager.Subscribe': 'Without it, the manager sends this caller no signals.',
    'Manager.ListUnits':
      'All units that are loaded: name, description, load state, active state, sub state, followed unit, path, and the job.',
    Unit: 'What every unit has, of whatever type.',
    Service: 'A unit that runs processes.',
    Socket: 'A unit that listens, and starts a service.',
    Timer: 'A unit that starts another one at times.',
    Mount: 'A mounted file system.',
    Automount: 'A file system that is mounted when it is used.',
    Path: 'A unit that starts another one when a file changes.',
    Slice: 'A group of units with limits in common.',
    Scope: 'Processes that another program has started.',
    Swap: 'A swap device or file.',
    Target: 'A group of units, and a point in the order of starting.',
    Device: 'A device that a unit can depend on.',
    Job: 'A queued change of a unit.',
  },
};

export const login1: Family = {
  title: 'systemd-logind, the manager of sessions, seats and power (system bus)',
  prefix: 'org.freedesktop.login1.',
  constants: {
    NAME: ['org.freedesktop.login1', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/login1', 'The object of the manager.'],
    OWN_SESSION: ['/org/freedesktop/login1/session/auto', 'The session of the caller, or else of its user.'],
  },
  docs: {
    Manager: 'Sessions, users, seats, power, and inhibitors.',
    'Manager.Inhibit': 'Prevents or delays something until all copies of the descriptor are closed.',
    'Manager.Inhibit.what':
      'what is prevented, separated by colons: `shutdown`, `sleep`, `idle`, `handle-power-key`, `handle-suspend-key`, `handle-hibernate-key`, `handle-lid-switch`',
    'Manager.Inhibit.who': 'the name of the application, for users',
    'Manager.Inhibit.why': 'the reason, for users',
    'Manager.Inhibit.mode': '`delay` for at most some seconds, so that work can be saved',
    'Manager.PrepareForSleep': 'Sent before the machine sleeps, and after it has woken up.',
    'Manager.PrepareForSleep.start': 'whether it is about to sleep',
    'Manager.PrepareForShutdown': 'Sent before the machine is shut down, and if that was cancelled.',
    'Manager.ListSessions': 'All sessions: id, uid, name of the user, seat, and path.',
    'Manager.PowerOff.interactive': 'whether the user may be asked for permission',
    Session: 'A session of a user.',
    'Session.Lock': 'A signal that the screen has to be locked.',
    User: 'A user with at least one session.',
    Seat: 'A display, keyboard and mouse that belong together.',
  },
  types: { 'Manager.Inhibit.mode': ['block', 'delay'] },
};

export const hostname1: Family = {
  title: 'systemd-hostnamed, the name and kind of the machine (system bus)',
  prefix: 'org.freedesktop.',
  names: { 'org.freedesktop.hostname1': 'Hostname' },
  constants: {
    NAME: ['org.freedesktop.hostname1', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/hostname1', 'Its object.'],
  },
  docs: {
    Hostname: 'The name and kind of the machine.',
    'Hostname.Chassis':
      'The kind of machine: `desktop`, `laptop`, `server`, `tablet`, `handset`, `vm`, `container` and others.',
  },
};

export const timedate1: Family = {
  title: 'systemd-timedated, the clock and time zone of the machine (system bus)',
  prefix: 'org.freedesktop.',
  names: { 'org.freedesktop.timedate1': 'TimeDate' },
  constants: {
    NAME: ['org.freedesktop.timedate1', 'The well-known name of the daemon.'],
    PATH: ['/org/freedesktop/timedate1', 'Its object.'],
  },
  docs: {
    TimeDate: 'The clock and time zone of the machine.',
    'TimeDate.SetTime.usec_utc': 'microseconds since 1970, or the change if `relative` is true',
    'TimeDate.NTP': 'Whether the clock is synchronized over the network.',
  },
};
