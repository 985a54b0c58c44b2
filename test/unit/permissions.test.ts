// Permissions as they are written: what is refused, and what the errors say. And the user database.
import { spawnSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  defineInterface,
  InvalidArgumentError,
  implement,
  method,
  property,
  ServiceInterface,
} from '../../src/index.js';
import { type CheckedCall, type Condition, inGroups, isUser } from '../../src/service/permits/conditions.js';
import { groupId, groupsOf, userId } from '../../src/service/permits/user-database.js';
import { callContext } from '../helpers/recording-outlet.js';
import { rejection, thrown } from '../helpers/rejection.js';

const test = suite('permissions');

const Lamp = defineInterface('org.example.Lamp', {
  methods: { Dim: { in: ['level:u'] } },
  properties: { Level: { type: 'u' } },
});
const lampWith = (options: object) => implement(Lamp, { Dim: () => {}, Level: 1 }, options);

/** The error of a permission of a method. */
function refusal(allow: unknown): string {
  const errors = [
    () => lampWith({ members: { Dim: { allow } } }),
    () => method({ allow } as object)(() => {}, { kind: 'method', name: 'Dim', addInitializer() {} } as never),
  ].map(thrown);
  for (const error of errors) assert.instance(error, InvalidArgumentError);
  const [one, other] = errors.map((error) => (error as Error).message);
  assert.ok(other?.endsWith(one?.replace(/^.*?: (?=allow)/, '') ?? '?'), `${one} / ${other}`);
  return other ?? '';
}

test('what is no permission is refused, with the nearest name', () => {
  assert.match(refusal({ polkitt: 'org.example.set' }), 'allow takes no option "polkitt"; did you mean polkit?');
  assert.match(refusal({ groups: 'wheel' }), 'did you mean group?');
  assert.match(refusal({}), 'allow: an empty object is no permission: expected polkit, uid, user, group');
  assert.match(refusal([]), 'the list is empty, so no caller would be allowed');
  assert.match(refusal([[], []]), 'the list is empty');
  assert.match(refusal({ uid: [] }), 'uid is an empty list');
  assert.match(
    refusal({ uid: 0, group: 'wheel' }),
    'uid and group is no permission: write a list, of which any suffices',
  );
  assert.match(refusal({ uid: 'root' }), 'uid must be an id, not "root"');
  assert.match(refusal({ uid: -1 }), 'uid must be an id, not -1');
  assert.match(refusal({ uid: 2 ** 32 - 1 }), 'uid must be an id');
  assert.match(refusal({ user: 0 }), 'user must be a name, not 0');
  assert.match(refusal({ group: '' }), 'group must be a name, not ""');
  assert.match(refusal({ group: 1.5 }), 'group must be an id, not 1.5');
  assert.match(refusal({ polkit: 5 }), 'polkit must be a name, not 5');
  assert.match(refusal({ uid: 0, details: {} }), 'only polkit takes details');
  assert.match(refusal({ polkit: 'a.b', details: { a: 5 } }), 'details: expected an object with strings by name');
  assert.match(refusal(null), 'allow: expected an object, got null');
  assert.match(refusal('root'), 'allow: expected an object, got string');
});

test('the permissions of a property say what is allowed', () => {
  const decorate = (allow: unknown) =>
    String(thrown(() => property({ type: 's', allow: allow as never })(undefined, accessor as never)));
  const accessor = { kind: 'accessor', name: 'Level', addInitializer() {} };
  assert.match(decorate({ uid: 0 }), 'say what is allowed, as in { write: … } or { read: …, write: … }');
  assert.match(decorate({ writes: { uid: 0 } }), 'allow takes no option "writes"; did you mean write?');
});

test('unknown members, options and values of options are refused', () => {
  const text = (options: object) => String(thrown(() => lampWith(options)));
  assert.match(text({ members: { Dimm: {} } }), 'takes no member "Dimm"; did you mean Dim?');
  assert.match(text({ members: { Dim: { allowed: { uid: 0 } } } }), 'takes no option "allowed"; did you mean allow?');
  assert.match(text({ members: { Dim: { check: () => true } } }), 'takes no option "check"');
  assert.match(text({ members: { Level: { checks: () => true } } }), 'takes no option "checks"; did you mean check?');
  assert.match(text({ members: { Level: { check: true } } }), 'check: expected a function, got boolean');
  assert.match(text({ concurrency: 'serail' }), 'concurrency: expected parallel or serial or perCaller, got "serail"');
  assert.match(text({ concurrency: 'serial', queue: 0 }), 'queue: expected an integer above 0, got 0');
  assert.match(text({ queue: 5 }), 'queue: only calls that wait are counted');
  assert.match(text({ allow: { calls: { uid: 0 } } }), 'allow takes no option "calls"; did you mean call?');
  class Options extends ServiceInterface {
    constructor(options: object) {
      super({ name: 'org.example.Options', ...options });
    }
  }
  assert.match(String(thrown(() => new Options({ concurency: 'serial' }))), 'did you mean concurrency?');
  assert.match(String(thrown(() => new Options({ concurrency: 'all' }))), 'expected parallel or serial or perCaller');
  assert.match(String(thrown(() => new Options({ allow: { uids: 0 } }))), 'allow takes no option "uids"');
});

/** Decides a condition for a caller. */
async function decide(condition: Condition, credentials: object): Promise<{ met: unknown; reasons: string[] }> {
  const reasons: string[] = [];
  const caller = { known: async () => credentials };
  const call = { ...callContext(':1.5'), what: 'a call', connectionId: 1, caller };
  const question = { isQuiet: false, args: () => [], undecided: (reason: string) => void reasons.push(reason) };
  return { met: await condition.isMet({ ...question, call: call as unknown as CheckedCall }), reasons };
}

test('if the bus tells no groups, they are those of the user in the group database', async () => {
  const { uid, username } = userInfo();
  const listed = spawnSync('id', ['-G', username], { encoding: 'utf8' }).stdout.trim().split(' ').map(Number);
  assert.equal([...(await groupsOf(uid))].sort(), [...listed, listed[0] as number].sort());
  for (const gid of listed) assert.is((await decide(inGroups([gid]), { uid })).met, true);
  const stranger = Math.max(...listed) + 1;
  assert.is((await decide(inGroups([stranger]), { uid })).met, false);
  // The groups of the process count, if they are known.
  assert.is((await decide(inGroups([stranger]), { uid, gids: [stranger] })).met, true);
  assert.is((await decide(inGroups(listed), { uid, gids: [stranger] })).met, false);
});

test('what the bus does not tell is not permitted', async () => {
  for (const [condition, credentials] of [
    [isUser([0]), {}],
    [isUser(['root']), {}],
    [inGroups(['root']), {}],
    [inGroups([0]), { uid: 4_000_000_000 }],
  ] as const) {
    const { met, reasons } = await decide(condition, credentials);
    assert.is(met, false);
    assert.match(reasons[0] ?? '', 'the caller cannot be identified');
  }
});

test('names are looked up in the user database, and unknown ones are nothing', async () => {
  assert.is(await userId('root'), 0);
  assert.is(await groupId('root'), 0);
  for (const name of ['nosuchuser', '-h', '--help', '*', 'root:x', '../passwd']) {
    assert.is(await userId(name), undefined, name);
    assert.is(await groupId(name), undefined, name);
  }
  assert.match(String(await rejection(groupsOf(4_000_000_000) as Promise<unknown>)), 'no uid 4000000000');
});

test('an empty object in place of permissions is refused, because it would allow everything', () => {
  const Level = defineInterface('org.example.Level', { properties: { Level: { type: 'u' } } });
  for (const options of [{ allow: {} }, { members: { Level: { allow: {} } } }] as const)
    assert.throws(
      () => implement(Level, { Level: 1 }, options),
      /allow: an empty object has no permission: expected .*read and write/,
    );
});

test.run();
