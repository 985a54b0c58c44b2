// Unicode noncharacters are valid in D-Bus strings, but sd-bus refuses them. The transport `socket` treats them as any
// other text; with `sd-bus` the sender gets an error, and so does a caller that waits for such a message.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  connect,
  defineInterface,
  InvalidArgumentError,
  InvalidReplyError,
  implement,
  NotSupportedError,
  type Problem,
} from '../../src/index.js';
import { transportKind } from '../../src/native/runtime.js';
import { PrivateBus } from '../helpers/private-bus.js';
import { rejection } from '../helpers/rejection.js';

const NAME = 'org.example.Text';
const Text = defineInterface(NAME, {
  methods: { Echo: { in: 's', out: 's' }, Give: { out: 's' }, Fail: {} },
  signals: { Said: { args: 's' } },
});
const NONCHARACTERS = '\ufdd0\ufffe\uffff\u{1fffe}\u{10ffff}';
const takesAll = transportKind() === 'socket';

const daemon = await PrivateBus.start();
// The other side uses the transport that accepts everything.
const other = await connect({ address: daemon.address, transport: 'socket' });
const own = await connect({ address: daemon.address });
const text = () =>
  implement(Text, {
    Echo: (words) => words,
    Give: () => NONCHARACTERS,
    Fail: () => {
      throw new Error(`failed over ${NONCHARACTERS}`);
    },
  });
const ownText = text();
own.export('/text', ownText);
other.export('/text', text());
const toOther = own.proxy(Text, other.uniqueName as string, '/text');
const toOwn = other.proxy(Text, own.uniqueName as string, '/text');

const problems: Problem[] = [];
const listen = (problem: unknown) => void problems.push(problem as Problem);
subscribe('busbar:problem', listen);

const test = suite('noncharacters');
test.before.each(() => void problems.splice(0));
test.after(async () => {
  unsubscribe('busbar:problem', listen);
  await Promise.all([own.close(), other.close()]);
  await daemon.stop();
});

/** sd-bus does not send it, and refuses it as invalid when it arrives. */
function assertUnsent(error: unknown, how: RegExp): void {
  assert.instance(error, NotSupportedError);
  assert.match((error as Error).message, how);
}

function assertUnread(error: unknown, kind: typeof InvalidArgumentError | typeof InvalidReplyError): void {
  assert.instance(error, kind);
  assert.match((error as Error).message, /a string in it contains a Unicode noncharacter, which sd-bus refuses/);
}

test('an argument with a noncharacter is sent, or rejects its call', async () => {
  const call = toOther.call.Echo(NONCHARACTERS);
  if (takesAll) assert.is(await call, NONCHARACTERS);
  else
    assertUnsent(await rejection(call), /^sd-bus cannot send this message: a string contains a Unicode noncharacter$/);
  assert.is(await toOther.call.Echo('text'), 'text');
});

test('a result with a noncharacter reaches its caller, or the caller gets the reason', async () => {
  const call = toOwn.call.Give();
  if (takesAll) assert.is(await call, NONCHARACTERS);
  else {
    assertUnsent(await rejection(call), /the reply could not be sent: .* a string contains a Unicode noncharacter/);
    assert.is(problems[0]?.kind, 'send');
  }
  assert.is(await toOwn.call.Echo('text'), 'text');
});

test('an error with a noncharacter in its text is an error', async () => {
  const error = await rejection(toOwn.call.Fail());
  if (takesAll) assert.match(error.message, `failed over ${NONCHARACTERS}`);
  else assertUnsent(error, /the reply could not be sent: /);
});

test('a received result with a noncharacter is returned, or rejects its call', async () => {
  const call = toOther.call.Give();
  if (takesAll) assert.is(await call, NONCHARACTERS);
  else assertUnread(await rejection(call), InvalidReplyError);
});

test('a received call with a noncharacter is handled, or answered with an error that says so', async () => {
  const call = toOwn.call.Echo(NONCHARACTERS);
  if (takesAll) assert.is(await call, NONCHARACTERS);
  else assertUnread(await rejection(call), InvalidArgumentError);
});

test('a signal with a noncharacter is received, or its emission fails', async () => {
  const heard: string[] = [];
  using said = toOwn.on.Said((words) => heard.push(words));
  await said.ready;
  ownText.emit.Said(NONCHARACTERS);
  ownText.emit.Said('text');
  await toOwn.call.Echo('');
  assert.equal(heard, takesAll ? [NONCHARACTERS, 'text'] : ['text']);
  if (!takesAll) assertUnsent(problems[0]?.error, /^sd-bus cannot send this message/);
});

test.run();
