/**
 * The measurements of the reliability report, in its order: what each is, how it is run, and how its figures read. Where
 * a measurement has no form of its own here, its figures are shown as the tables that they are.
 */
import { differentialDetails, differentialOutcome } from './differential.mjs';
import { soakDetails, soakOutcome } from './soak.mjs';
import { tablesOf } from './tables.mjs';

export const sections = [
  {
    name: 'fuzz',
    title: 'Fuzzing',
    command: 'npm run fuzz',
    about:
      'Random input, guided by coverage, for everything that reads what others wrote. Every finding becomes a test. The ' +
      'processor time of runs of the same sources adds up.',
    outcome: ({ targets }) => {
      const all = Object.values(targets);
      const least = Math.min(...all.map(({ cpuSeconds }) => cpuSeconds));
      const findings = all.reduce((sum, target) => sum + target.findings, 0);
      return `${all.length} targets, each for at least ${(least / 60).toFixed(1)} min of processor time: ${findings} findings`;
    },
    details: tablesOf,
  },
  {
    name: 'differential',
    title: 'Differential tests',
    command: 'npm run test:differential',
    about:
      'The same messages read by busbar and by other implementations: they agree, or the difference is a listed one. What ' +
      'they write of what they read is read in turn.',
    outcome: differentialOutcome,
    details: differentialDetails,
  },
  {
    name: 'faults',
    title: 'Faults',
    command: 'node scripts/faults.mjs',
    about:
      'Daemons that are killed and streams that are cut, delayed, split and merged, at every phase of a connection; ' +
      'limits that are met, and messages that pretend to be of somebody else. Counted is what tests saw hold.',
    outcome: ({ tests, transports }) => {
      const counts = Object.entries(transports).map(
        ([transport, { cutPoints, killsSurvived, callsSettled }]) =>
          `${transport}: ${cutPoints} cuts and ${killsSurvived} kills survived, all of ${callsSettled} calls settled`,
      );
      return [`${tests.passed} tests passed, ${tests.failed} failed`, ...counts].join('; ');
    },
    details: tablesOf,
  },
  {
    name: 'sanitizers',
    title: 'Sanitizers',
    command: 'npm run sanitize',
    about:
      'The suites that use the addon, with one built with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer ' +
      '(addon); the native tests under memcheck (valgrind); and clang-tidy over all of it (tidy). The canaries are mistakes ' +
      'made on purpose, which have to be seen.',
    outcome: (parts) =>
      Object.entries(parts)
        .map(
          ([part, { findings, failed = 0 }]) =>
            `${part}: ${findings} findings${failed > 0 ? `, ${failed} failed` : ''}`,
        )
        .join('; '),
    details: tablesOf,
  },
  {
    name: 'soak',
    title: 'Soak',
    command: 'npm run soak',
    about:
      'A mixed load for a long time: calls both ways, signals, properties, descriptors, subscriptions, exports, ' +
      'connections, peers, errors, timeouts, aborts, large messages, a misbehaving peer. Everything is looked at once a ' +
      'second, at rest. The caches are full before. What grows beyond its limit in the second half fails, however long ' +
      'that is, and so does what may have grown so much for all that can be told: growth is given with the least and the most that it may be.',
    outcome: soakOutcome,
    details: soakDetails,
  },
];
