/** Runs handlers under the rules of their members: when the call is permitted, and when its turn has come. */

import { insideCall } from '../calls/call-storage.js';
import type { IncomingCall } from '../calls/incoming-call.js';
import { type Job, Lane } from '../calls/lane.js';
import { answerAfter } from '../calls/late-answer.js';
import { checkPermit } from './check-permit.js';
import type { MemberRule, Order } from './member-rules.js';
import type { Permit } from './permission.js';

/** A handler, and what it needs. */
export interface Guarded {
  readonly call: IncomingCall;
  /** The object of the handler, whose handlers may have to run one after the other. */
  readonly object: object;
  /** What is checked, for the text of an error: `org.example.Lamp.Dim`. */
  readonly what: string;
  /** Decodes the arguments. Called at most once, when they are needed. */
  readArguments(): unknown[];
  /** The arguments as the functions of permissions get them, if {@link run} takes them in another form. */
  shown?(args: readonly unknown[]): readonly unknown[];
  run(args: unknown[]): unknown;
}

/**
 * Runs a handler under a rule.
 *
 * @returns the result, or a `LateAnswer`
 * @throws the error for the caller
 */
export function runGuarded(rule: MemberRule, guarded: Guarded): unknown {
  const { call, what } = guarded;
  let args: unknown[] | undefined;
  const readArguments = () => {
    args ??= guarded.readArguments();
    return args;
  };
  const run = () => guarded.run(readArguments());
  const shown = () => guarded.shown?.(readArguments()) ?? readArguments();
  const permit = () => (rule.permit === undefined ? undefined : checkPermit(rule.permit, call, what, shown));
  if (rule.order !== undefined) return inOrder(rule.order, guarded, permit, run);
  return whenPermitted(call, permit(), run);
}

/** Runs a handler when a check has succeeded. */
export function whenPermitted(
  call: IncomingCall,
  permitted: Promise<unknown> | undefined,
  run: () => unknown,
): unknown {
  if (permitted === undefined) return run();
  keepBody(call);
  return answerAfter(permitted, run);
}

/** Reads a property, or several, for callers that may read it. */
export function whenReadable(
  permit: Permit | undefined,
  call: IncomingCall,
  what: string,
  read: () => unknown,
): unknown {
  if (permit === undefined) return read();
  return whenPermitted(
    call,
    checkPermit(permit, call, what, () => []),
    read,
  );
}

/** Keeps the body, with its descriptors, for a handler that runs when its batch has been handled. */
function keepBody({ message }: IncomingCall): void {
  message.keepForGood();
  // Reading them takes hold of them.
  void message.fileDescriptors;
}

/** The lanes of an object: by order, and then by caller if each has its own. */
const lanes = new WeakMap<object, Map<string, Lane>>();

function inOrder(order: Order, { call, object, what }: Guarded, permit: Job['permit'], run: () => unknown): unknown {
  // Unique names belong to one bus.
  const caller = `${call.connectionId} ${call.sender ?? ''}`;
  const job: Job = {
    caller,
    limit: order.queue ?? Number.POSITIVE_INFINITY,
    what,
    get signal() {
      return call.signal;
    },
    keep: () => keepBody(call),
    // The end of another call begins them.
    permit: () => insideCall(call, permit),
    run: () => insideCall(call, run),
  };
  return laneOf(object, order, caller).enter(job);
}

function laneOf(object: object, order: Order, caller: string): Lane {
  let ofObject = lanes.get(object);
  if (ofObject === undefined) {
    ofObject = new Map();
    lanes.set(object, ofObject);
  }
  const key = order.concurrency === 'serial' ? order.member : `${order.member} ${caller}`;
  const known = ofObject.get(key);
  if (known !== undefined) return known;
  const isOfCaller = order.concurrency === 'perCaller';
  const forget = () => {
    if (ofObject.get(key) === lane) ofObject.delete(key);
  };
  const lane: Lane = new Lane(isOfCaller ? forget : undefined);
  ofObject.set(key, lane);
  return lane;
}
