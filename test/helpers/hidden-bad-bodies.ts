/** Bodies with faults that not every transport can see, sent as a reply, a call and a signal. */
import * as assert from 'uvu/assert';
import { InvalidReplyError } from '../../src/index.js';
import { BUS } from './fake-bus.js';
import { CALL, type Session, SIGNAL, TRANSPORT } from './fake-bus-session.js';
import { rejection } from './rejection.js';
import { bytesOf } from './wire.js';

const HIDDEN_BAD_BODIES = [
  ['a boolean that is 2', 'b', bytesOf((b) => b.u32(2)), true],
  ['a body that is longer than its signature', 's', bytesOf((b) => b.text('long').align(4).u32(1)), 'long'],
] as const;

/** A transport that sees the fault refuses the message, and one that does not accepts the value; both are harmless. */
export async function assertHiddenFaultsHarmless(session: Session): Promise<void> {
  for (const [rule, signature, body, taken] of HIDDEN_BAD_BODIES) {
    const { outcome, call } = await session.called();
    session.peer.send({ type: 2, replySerial: call.serial, signature, body });
    if (TRANSPORT.seesWholeBody) assert.instance(await rejection(outcome), InvalidReplyError, rule);
    else assert.equal(await outcome, [taken], rule);

    const { handled } = session;
    const isTaken = !TRANSPORT.seesWholeBody && signature === 's';
    const answer = await session.answer({ ...CALL, signature, body });
    assert.is(answer.errorName, isTaken ? undefined : `${BUS}.Error.InvalidArgs`, rule);
    assert.is(session.handled - handled, isTaken ? 1 : 0, rule);

    session.heard.length = 0;
    session.problems.length = 0;
    session.peer.send({ ...SIGNAL, signature, body });
    await session.assertAlive(rule);
    const heard = session.heard.map((message) => message.body);
    assert.equal(heard, TRANSPORT.seesWholeBody ? [] : [[taken]], rule);
    assert.is(session.problems.length, TRANSPORT.seesWholeBody ? 1 : 0, rule);
  }
}
