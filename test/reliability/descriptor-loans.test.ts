/**
 * Descriptors against a model: messages with descriptors, to handlers and listeners that take, duplicate, close, hand over,
 * ignore and fail, at once and later, and connections that end meanwhile. After every step the process has as many open
 * descriptors as the model says, and in the end as many as in the beginning.
 */
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, mkdtempSync, openSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineInterface, FileDescriptor, implement, Variant } from '../../src/index.js';
import type { PollerKind, TransportKind } from '../../src/native/binding.js';
import { onExit } from '../helpers/exit-cleanup.js';
import { patience } from '../helpers/patience.js';
import { type Peers, peers } from '../helpers/peers.js';

const test = suite('descriptors against a model');

// A listener keeps the intended errors of handlers from being printed.
subscribe('busbar:problem', () => {});

const folder = mkdtempSync(join(tmpdir(), 'busbar-loans-'));
onExit(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, 'file');
const source = openSync(file, 'w');

/** The number of open descriptors of the file: nothing else opens it. */
function open(): number {
  let count = 0;
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === file) count++;
    } catch {
      // The descriptor with which this list was read.
    }
  }
  return count;
}

const PATH = '/o';
const NAME = 'org.example.Model';
const Model = defineInterface(NAME, {
  methods: {
    Run: { in: ['files:ah', 'keys:a{hs}', 'any:v'], out: ['file:ah'] },
    Misfit: { in: ['files:ah'], out: ['number:u'] },
  },
  signals: { Here: { args: ['files:ah'] } },
  properties: { Log: { type: 'ah', access: 'readwrite' }, Fixed: { type: 'ah', access: 'read' } },
});

/** What a handler does with each descriptor that it gets. */
const deeds = ['ignore', 'close', 'take', 'dup', 'handOver', 'dupAndClose'] as const;
type Deed = (typeof deeds)[number];

/** How a handler ends: `wait` is a promise that a later step settles. */
const ends = ['return', 'throw', 'wait', 'waitAndThrow'] as const;
type End = (typeof ends)[number];

interface Plan {
  readonly deed: Deed;
  readonly end: End;
}

const plan = fc.record({ deed: fc.constantFrom(...deeds), end: fc.constantFrom(...ends) });
const count = fc.integer({ min: 0, max: 4 });
const step = fc.oneof(
  fc.record({ kind: fc.constant('call' as const), count, plan, noReply: fc.boolean() }),
  fc.record({ kind: fc.constant('echo' as const), count, handsOver: fc.boolean() }),
  fc.record({
    kind: fc.constant('refused' as const),
    count,
    how: fc.constantFrom('object', 'method', 'signature', 'unknown', 'read-only', 'type', 'misfit'),
  }),
  fc.record({ kind: fc.constant('signal' as const), count, listeners: fc.array(plan, { maxLength: 3 }) }),
  fc.record({ kind: fc.constant('handled' as const), count, plan, handler: fc.constantFrom(...deeds) }),
  fc.record({ kind: fc.constant('set' as const), count }),
  fc.record({ kind: fc.constant('settle' as const) }),
  fc.record({ kind: fc.constant('drop' as const) }),
  fc.record({ kind: fc.constant('lose' as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A descriptor from a message: one number, for as long as it has an owner. */
interface Brought {
  holders: number;
}

class World {
  readonly #options: object;
  #ends: Peers | undefined;
  #object: ReturnType<World['export']> | undefined;
  /** The descriptors that the program has to close. */
  readonly #kept: (() => void)[] = [];
  /** Numbers that only the program owns: those that it took, and duplicates. */
  #own = 0;
  /** The descriptors of messages that are still on loan. */
  readonly #brought = new Set<Brought>();
  /** The descriptors of the message that is being handled, by their index. */
  #ofMessage: Brought[] = [];
  /** Handlers that wait, and what each does when its promise settles. */
  readonly #waiting: (() => void)[] = [];
  #ofProperty = 0;
  #plan: Plan = { deed: 'ignore', end: 'return' };
  /** Whether the handler hands over what it returns. */
  #handsOver = false;

  constructor(options: object) {
    this.#options = options;
  }

  /** The expected number of open descriptors. */
  get expected(): number {
    const held = [...this.#brought].filter(({ holders }) => holders > 0);
    return 1 + this.#own + this.#ofProperty + held.length;
  }

  async connect(): Promise<Peers> {
    if (this.#ends !== undefined) return this.#ends;
    this.#ends = await peers(this.#options, this.#options);
    this.#object = this.export(this.#ends);
    return this.#ends;
  }

  export({ accepted }: Peers) {
    const object = implement(Model, {
      Run: (files, keys, any) => {
        const others = FileDescriptor.isFileDescriptor(any) ? [any] : [];
        const all = [...files, ...(keys.keys() as Iterable<FileDescriptor>), ...others];
        if (this.#handsOver) for (const each of files) each.handOver();
        // Descriptors that the program hands over in another way must not be sent with the reply.
        return this.#carryOut(this.#plan, all, this.#plan.deed === 'handOver' ? [] : files);
      },
      Misfit: () => 'no number' as never,
      Log: [],
      Fixed: [],
    });
    accepted.export(PATH, object);
    return object;
  }

  /** Executes a plan with descriptors, and updates the model. */
  #carryOut({ deed, end }: Plan, given: readonly FileDescriptor[], result: unknown): never {
    const lent = given.filter((each, index) => this.#do(deed, each, index));
    if (end === 'return') return result as never;
    if (end === 'throw') throw new Error('as planned');
    // Those that were not taken or closed stay on loan until the handler ends.
    const held = this.#ofMessage.filter((_, index) => index < lent.length);
    for (const each of held) each.holders++;
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        for (const each of held) each.holders--;
        if (end === 'wait') resolve(result);
        else reject(new Error('as planned'));
      });
    }) as never;
  }

  /** Returns whether the descriptor stays on loan. */
  #do(deed: Deed, each: FileDescriptor, index: number): boolean {
    if (deed === 'ignore') return true;
    if (deed === 'close') {
      each.close();
      return false;
    }
    if (deed === 'handOver') {
      const brought = this.#ofMessage[index] as Brought;
      brought.holders++;
      each.handOver();
      this.#kept.push(() => {
        brought.holders--;
        each.close();
      });
      return false;
    }
    this.#own++;
    const fd = deed === 'take' ? each.take() : each.dup().take();
    this.#kept.push(() => {
      this.#own--;
      closeSync(fd);
    });
    if (deed === 'dupAndClose') each.close();
    return deed === 'dup';
  }

  /** The number of descriptors of the next message. */
  #bring(count: number): void {
    this.#ofMessage = Array.from({ length: count }, () => ({ holders: 0 }));
    for (const each of this.#ofMessage) this.#brought.add(each);
  }

  async ping(): Promise<void> {
    const { client, accepted } = await this.connect();
    const call = { path: PATH, interface: 'org.freedesktop.DBus.Peer', member: 'Ping' };
    await client.call(call);
    await accepted.call(call);
  }

  async run(next: Step): Promise<void> {
    const both = await this.connect();
    const files = (n: number) => Array.from({ length: n }, () => source);
    const call = (more: object) => both.client.call({ path: PATH, interface: NAME, member: 'Run', ...more });
    const run = (n: number) => {
      const keys = new Map(files(Math.min(n, 1)).map((fd) => [fd, 'key']));
      this.#bring(n + keys.size + 1);
      return { signature: 'aha{hs}v', body: [files(n), keys, new Variant('h', source)] };
    };
    switch (next.kind) {
      case 'call': {
        this.#plan = next.plan;
        const answered = call({ ...run(next.count), noReply: next.noReply }).then(closeAll, () => {});
        if (next.plan.end === 'return' || next.plan.end === 'throw') await answered;
        break;
      }
      case 'echo': {
        this.#plan = { deed: 'ignore', end: 'return' };
        this.#handsOver = next.handsOver;
        const [back] = (await call(run(next.count))) as [FileDescriptor[]];
        this.#handsOver = false;
        assert.is(open(), this.expected + next.count, 'the result is the caller’s');
        closeAll(back);
        break;
      }
      case 'refused':
        await this.#refused(next, files(next.count));
        break;
      case 'signal': {
        this.#bring(next.count);
        const listeners = next.listeners.map((each) =>
          both.client.proxy(Model, PATH).on.Here((given) => this.#carryOut(each, given, undefined)),
        );
        both.accepted.emit({
          ...{ path: PATH, interface: NAME, member: 'Here', signature: 'ah' },
          body: [files(next.count)],
        });
        await this.ping();
        for (const listener of listeners) listener.end();
        break;
      }
      case 'handled': {
        this.#plan = next.plan;
        const handler = both.accepted.addMessageHandler(({ member, body }) => {
          if (member === 'Run')
            (body[0] as FileDescriptor[]).forEach((each, index) => void this.#do(next.handler, each, index));
        });
        const answered = call(run(next.count)).then(closeAll, () => {});
        if (next.plan.end === 'return' || next.plan.end === 'throw') await answered;
        await this.ping();
        handler[Symbol.dispose]();
        break;
      }
      case 'set':
        await both.client.call({
          ...{ path: PATH, interface: 'org.freedesktop.DBus.Properties', member: 'Set', signature: 'ssv' },
          body: [NAME, 'Log', new Variant('ah', files(next.count))],
        });
        this.#ofProperty = next.count;
        break;
      case 'settle':
        for (const settle of this.#waiting.splice(0)) settle();
        break;
      case 'drop':
        for (const close of this.#kept.splice(0)) close();
        break;
      case 'lose':
        await this.end();
        return;
    }
    await this.ping();
  }

  async #refused({ how }: { readonly how: string }, files: readonly number[]): Promise<void> {
    const { client } = await this.connect();
    const call = { path: PATH, interface: NAME, member: 'Misfit', signature: 'ah', body: [files] };
    const set = (name: string, value: Variant) => ({
      ...{ path: PATH, interface: 'org.freedesktop.DBus.Properties', member: 'Set', signature: 'ssv' },
      body: [NAME, name, value],
    });
    const calls: Readonly<Record<string, object>> = {
      object: { ...call, path: '/nope' },
      method: { ...call, member: 'Nope' },
      signature: { ...call, signature: 'ahah', body: [files, files] },
      misfit: call,
      unknown: set('Nope', new Variant('ah', files)),
      'read-only': set('Fixed', new Variant('ah', files)),
      type: set('Log', new Variant('v', new Variant('ah', files))),
    };
    await client.call(calls[how] as typeof call).then(
      () => assert.unreachable('it is refused'),
      () => {},
    );
  }

  /** The connection is over; handlers that wait continue to wait, and the object keeps its descriptors. */
  async end(): Promise<void> {
    await this.#ends?.[Symbol.asyncDispose]();
    this.#ends = undefined;
    if (this.#object !== undefined) this.#object.properties.Log = [];
    this.#ofProperty = 0;
  }

  async close(): Promise<void> {
    await this.end();
    for (const settle of this.#waiting.splice(0)) settle();
    for (const close of this.#kept.splice(0)) close();
  }
}

function closeAll(value: unknown): void {
  for (const each of [value].flat(Number.POSITIVE_INFINITY as 1)) {
    if (FileDescriptor.isFileDescriptor(each)) each.close();
  }
}

/** Waits until the expected number is open. */
async function assertOpen(expected: () => number, what: string): Promise<void> {
  const deadline = Date.now() + 2000 * patience;
  while (open() !== expected() && Date.now() < deadline) await new Promise((go) => setTimeout(go, 1));
  assert.is(open(), expected(), what);
}

for (const transport of ['socket', 'sd-bus'] as const satisfies readonly TransportKind[]) {
  for (const poller of ['uv', 'thread'] as const satisfies readonly PollerKind[]) {
    test(`the number of open descriptors is that of the model, on ${transport}, polled by ${poller}`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
          const world = new World({ transport, poller });
          try {
            for (const next of steps) {
              await world.run(next);
              await assertOpen(() => world.expected, JSON.stringify(next));
            }
          } finally {
            await world.close();
          }
          await assertOpen(() => 1, 'all is over');
        }),
        { numRuns: 60, endOnFailure: true },
      );
    });
  }
}

test.run();
