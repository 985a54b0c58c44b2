/**
 * The services of the examples under random calls: with every method and property of every object, arguments of the right
 * types with any values, and some that fit. A service answers all of them, reports no failure, and runs until it is asked to
 * end. A failure prints the seed; `BUSBAR_SEED` repeats the values.
 */
import { DBusError, type MessageBus, Variant } from 'busbar';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { valueOfType } from '../../helpers/arbitrary-bodies.js';
import { seed } from '../../helpers/replay.js';
import { missingClients, ServiceExample } from '../../helpers/service-example.js';
import { testUnless } from '../../helpers/skip.js';

const test = suite('odd input to the services of the examples');
const CALLS = 400;
const examples = ['player', 'notifications', 'battery', 'power-profiles', 'bluetooth', 'secrets', 'tray', 'tray-host'];
/** What ends the service, as it should. */
const ending = ['Quit'];
const words = [
  'plain',
  'performance',
  'power-saver',
  'NoInputNoOutput',
  'label',
  '',
  'org.example.Nobody',
  ':1.1',
  '/',
];

interface Member {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly types: readonly string[];
  readonly isProperty?: boolean;
}

/** All members of the objects from a path on. */
async function membersFrom(bus: MessageBus, name: string, path: string): Promise<Member[]> {
  const object = await bus.object(name, path).catch(() => undefined);
  // An object may be gone since its parent was read.
  if (object === undefined) return [];
  const own = [...object.node.interfaces]
    .filter(([each]) => !each.startsWith('org.freedesktop.DBus.'))
    .flatMap(([each, { methods, properties }]) => {
      const where = { path, interface: each };
      return [
        ...[...methods.values()]
          .filter(({ name }) => !ending.includes(name))
          .map(({ name, in: list }) => ({ ...where, member: name, types: list.map(({ signature }) => signature) })),
        ...[...properties.values()].map(({ name, signature }) => ({
          ...where,
          member: name,
          types: [signature],
          isProperty: true,
        })),
      ];
    });
  const below = object.children.map((child) => membersFrom(bus, name, child));
  return [...own, ...(await Promise.all(below)).flat()];
}

for (const name of examples) {
  testUnless(missingClients(), test, `${name} answers ${CALLS} random calls (seed ${seed})`, () =>
    ServiceExample.with(name, async (example) => {
      const { bus } = example;
      const names = await bus.listNames();
      const service = names.find((each) => !each.startsWith(':') && each !== 'org.freedesktop.DBus') as string;
      let members = await membersFrom(bus, service, '/');
      const seen = new Set<string>();
      for (let count = 0; count < CALLS; count++) {
        if (count % 40 === 39) members = await membersFrom(bus, service, '/');
        const paths = members.map(({ path }) => path);
        const fitting: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
          o: fc.constantFrom(...paths),
          s: fc.constantFrom(...words),
          i: fc.integer({ min: -1, max: 7 }),
          u: fc.integer({ min: 0, max: 7 }),
          x: fc.bigInt({ min: -10n, max: 10n }),
          'a{ss}': fc.constantFrom({}, { a: 'b' }),
          ao: fc.array(fc.constantFrom(...paths), { maxLength: 3 }),
        };
        const arbitrary = fc.constantFrom(...members).chain((member) => {
          const values = member.types.map((type) =>
            type in fitting
              ? fc.oneof(fitting[type] as fc.Arbitrary<unknown>, valueOfType(type, 2))
              : valueOfType(type, 2),
          );
          return fc.tuple(fc.constant(member), fc.tuple(...values));
        });
        const [[member, body]] = fc.sample(arbitrary, { numRuns: 1, seed: seed + count }) as [[Member, unknown[]]];
        seen.add(await answer(bus, service, member, body));
      }
      assert.ok(example.program.running);
      assert.ok(seen.has('answered'), [...seen].join());
      assert.not.ok(
        [...seen].some((error) => /freedesktop\.DBus\.Error\.(Failed|NoReply|Timeout)$/.test(error)),
        [...seen].join(),
      );
    }),
  );
}

/** The name of the error that answers a call. */
async function answer(bus: MessageBus, destination: string, member: Member, body: unknown[]): Promise<string> {
  const { path, interface: of, member: name, types, isProperty = false } = member;
  const call = isProperty
    ? {
        ...{ interface: 'org.freedesktop.DBus.Properties', member: 'Set', signature: 'ssv' },
        body: [of, name, new Variant(types[0] as string, body[0])],
      }
    : { interface: of, member: name, signature: types.join(''), body };
  try {
    await bus.call({ destination, path, ...call });
    return 'answered';
  } catch (error) {
    assert.instance(error, DBusError);
    return (error as DBusError).dbusName;
  }
}

test.run();
