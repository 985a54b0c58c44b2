/**
 * The measurements of the reliability report, in its order: what each is, how it is run, and how its figures read. Where
 * a measurement has no form of its own here, its figures are shown as the tables that they are.
 */
import { differentialDetails, differentialOutcome } from './differential.mjs';
import { faultsDetails, faultsOutcome } from './faults.mjs';
import { fuzzDetails, fuzzOutcome } from './fuzz.mjs';
import { soakDetails, soakOutcome } from './soak.mjs';
import { tablesOf } from './tables.mjs';

export const sections = [
  {
    name: 'fuzz',
    title: 'Fuzzing',
    command: 'npm run fuzz',
    about:
      'Random input, guided by coverage, for everything that reads what others wrote. Every finding becomes a test. The ' +
      'processor time of runs of the same sources adds up. Findings are inputs that were not known before; a run that ends ' +
      'otherwise than it should, also by a known one, is a failure. Memory that leaks is looked for at the end of a run: not ' +
      'where somebody interrupted it.',
    outcome: fuzzOutcome,
    details: fuzzDetails,
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
      'The tests that meet trouble on purpose, on both transports: faults of every kind at every phase of a connection, a bus ' +
      'and peers that break the rules, messages that broke others, bad input, leaks, traces of failures, and properties. ' +
      'Counted is what tests saw hold. What is skipped says what the machine lacked for it. Columns are transports; "thread" is ' +
      'the socket, watched by the thread that Bun and Deno need.',
    isReadable: ({ groups }) => groups !== undefined,
    outcome: faultsOutcome,
    details: faultsDetails,
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
