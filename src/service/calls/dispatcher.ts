/**
 * Answers incoming method calls. It finds the object, the interface and the method, runs the handler, and replies
 * exactly once, whatever the handler does.
 */

import {
  DBusError,
  InvalidArgumentError,
  NotSupportedError,
  ProtocolError,
  UnknownInterfaceError,
  UnknownMethodError,
  UnknownObjectError,
} from '../../base/error-classes.js';
import { isOverOrFull } from '../../base/errors.js';
import { suggestion } from '../../base/nearest-name.js';
import type { Bus } from '../../bus/bus.js';
import type { Lasting } from '../../bus/link/link.js';
import { closeHandedOver } from '../../codec/close-descriptors.js';
import { misfit } from '../../codec/misfit.js';
import { shapedBody } from '../../codec/shaped-value.js';
import { cureOfUnset, refusalOfReturned, withoutFrames, withoutPurpose } from '../../codec/value-refusal.js';
import type { IncomingMessage } from '../../connection/receiving/incoming-message.js';
import { report, reportMisfit } from '../../diagnostics/problems.js';
import type { InterfaceDescription, MethodDescription } from '../../interface/description.js';
import type { Variant } from '../../values/variant.js';
import type { Exportable } from '../objects/exportable.js';
import type { ObjectTree, TreeNode } from '../objects/object-tree.js';
import type { Subtree } from '../objects/subtree.js';
import { runGuarded } from '../permits/guard.js';
import type { MemberRules } from '../permits/member-rules.js';
import { introspectable } from '../standard/introspectable.js';
import { objectManager } from '../standard/object-manager.js';
import { peer } from '../standard/peer.js';
import { properties } from '../standard/properties.js';
import { isThenable } from '../thenable.js';
import { callStorage } from './call-storage.js';
import type { CallTarget } from './call-target.js';
import { CallsInProgress } from './calls-in-progress.js';
import { asAnswer, errorAnswers, FAILED } from './error-answer.js';
import { IncomingCall } from './incoming-call.js';
import { LateAnswer } from './late-answer.js';
import { ReplyHeads } from './reply-heads.js';
import { shapedArguments } from './shaped-arguments.js';

const PEER = peer.description.name;

export class Dispatcher implements Lasting {
  readonly #bus: Bus;
  readonly #tree: ObjectTree;
  readonly #replyHeads = new ReplyHeads();
  #inProgress: CallsInProgress;

  constructor(bus: Bus, tree: ObjectTree) {
    this.#bus = bus;
    this.#tree = tree;
    this.#inProgress = new CallsInProgress(bus.limits.callsInProgress);
    bus.whenClosed(() => this.#inProgress.close());
    bus.outlast(this);
  }

  /** The connection was lost: its calls are not answered any more, and do not count at the next one. */
  lost(): void {
    this.#inProgress.close();
    this.#inProgress = new CallsInProgress(this.#bus.limits.callsInProgress);
  }

  async back(): Promise<void> {}

  /** The number of calls whose handlers are running. */
  get callsInProgress(): number {
    return this.#inProgress.total;
  }

  /** Handles a method call. Never throws: errors are the answer to the caller. */
  handle(message: IncomingMessage): void {
    if (!this.#bus.isAddressedHere(message.destination)) return;
    if (this.#inProgress.isFull(message.sender)) {
      this.#refuse(message);
      return;
    }
    const call = new IncomingCall(this.#bus, this.#tree, this.#replyHeads, message);
    const { storage } = callStorage;
    if (storage === undefined) this.#answer(call);
    else storage.run(call, () => this.#answer(call));
  }

  #answer(call: IncomingCall): void {
    const { message } = call;
    try {
      // The target of most calls. The look-up allocates nothing.
      const exported = this.#tree.get(call.path)?.find(message.interface ?? '');
      if (exported !== undefined) {
        const { exportable } = exported;
        call.ofUsers(exported.atWork);
        const method = methodOf(exportable.description, call.member);
        checkBody(message, method);
        if (exportable.rules === undefined) this.#settle(call, method, runMethod(exportable, method, call));
        else this.#settleAny(call, method, runByRules(exportable, exportable.rules, method, call));
      } else {
        const subtree = message.interface === PEER ? undefined : this.#tree.subtreeToAsk(call.path);
        if (subtree === undefined) this.#handleAt(this.#tree.get(call.path), call);
        else this.#handleIn(subtree, call);
      }
    } catch (error) {
      fail(call, error);
    }
  }

  /** Handles a call of an object that has to be found first. */
  #handleIn(subtree: Subtree, call: IncomingCall): void {
    const failed = (error: unknown) => fail(call, error);
    subtree.whenFound(call, {
      wait: () => call.wait(this.#inProgress, subtree.atWork),
      run: (node) => this.#handleAt(node, call),
      fail: failed,
    });
  }

  /** Handles a call at a node: of a standard interface, or without the name of an interface. */
  #handleAt(node: TreeNode | undefined, call: IncomingCall): void {
    const { message } = call;
    if (node !== undefined) call.node = node;
    const [target, method] = resolve(node, message);
    // Read before the handler runs, because a handler may end its own export.
    call.ofUsers(target.atWork ?? node?.atWork ?? []);
    checkBody(message, method);
    this.#settleAny(call, method, target.invoke(method, call));
  }

  /** Refuses a call of a caller at its limit. Its body is not decoded. */
  #refuse(message: IncomingMessage): void {
    const { sender, serial, expectsReply } = message;
    const text = `${this.#bus.limits.callsInProgress} calls of one caller are in progress, which is the limit`;
    const { receiving } = this.#bus;
    if (expectsReply && receiving.carriesMessages) receiving.sender.refuseCall(sender, serial, text);
    if (!this.#inProgress.isNews(sender)) return;
    report('message', `calls of ${sender ?? 'the peer'} are refused: ${text}`, undefined, this.#bus.connectionId);
  }

  /** Replies with the result of a method, or with the value of its promise. */
  #settle(call: IncomingCall, method: MethodDescription, result: unknown): void {
    if (!isThenable(result)) {
      reply(call, method, result);
      return;
    }
    call.begin(this.#inProgress);
    // As `await` does it: another thenable may call back twice, or throw.
    const settled = result instanceof Promise ? result : Promise.resolve(result);
    settled.then(
      (value) => reply(call, method, value),
      (error: unknown) => fail(call, error),
    );
  }

  /** As {@link #settle}, for a result that may be a `LateAnswer`. */
  #settleAny(call: IncomingCall, method: MethodDescription, result: unknown): void {
    if (!(result instanceof LateAnswer)) {
      this.#settle(call, method, result);
      return;
    }
    call.begin(this.#inProgress);
    result.settle(
      (value) => reply(call, method, value),
      (error) => fail(call, error),
    );
  }
}

/** The standard interfaces of objects, by name. */
const standardTargets: ReadonlyMap<string, CallTarget> = new Map(
  [objectManager, properties, introspectable].map((target) => [target.description.name, target]),
);

/** Decodes the arguments, once and in the method's form, and runs the method. */
function runMethod(exportable: Exportable, method: MethodDescription, call: IncomingCall): unknown {
  return exportable.callMethod(method.name, argumentsOf(exportable, method, call), call);
}

/** Runs a method of an object some of whose members have rules. */
function runByRules(
  exportable: Exportable,
  { methods }: MemberRules,
  method: MethodDescription,
  call: IncomingCall,
): unknown {
  const { name } = method;
  const rule = methods.get(name);
  if (rule === undefined) return runMethod(exportable, method, call);
  return runGuarded(rule, {
    call,
    object: exportable,
    what: `${exportable.description.name}.${name}`,
    readArguments: () => argumentsOf(exportable, method, call),
    run: (args) => exportable.callMethod(name, args, call),
  });
}

function argumentsOf({ readings }: Exportable, method: MethodDescription, call: IncomingCall): unknown[] {
  // Most objects have no such method, so the look-up is skipped.
  const variants = readings.size === 0 ? undefined : readings.get(method.name);
  if (variants === undefined) return call.readArguments();
  if (method.inShapes === undefined) return call.readArguments({ variants });
  return shapedArguments(method, call.readArguments({ variants: 'wrap' }), variants);
}

/** All targets at a node, exported interfaces first. A node between exports has the standard interfaces only. */
function targetsOf(node: TreeNode): CallTarget[] {
  const targets: CallTarget[] = [];
  for (const { exportable, atWork } of node.interfaces) {
    targets.push({
      description: exportable.description,
      atWork,
      invoke: (method, call) =>
        exportable.rules === undefined
          ? runMethod(exportable, method, call)
          : runByRules(exportable, exportable.rules, method, call),
    });
  }
  if (node.managesObjects) targets.push(objectManager);
  targets.push(properties, introspectable, peer);
  return targets;
}

/** Finds the target of a call that names no interface, or one that is not exported. */
function resolve(node: TreeNode | undefined, message: IncomingMessage): [CallTarget, MethodDescription] {
  const { path = '/', interface: interfaceName, member = '' } = message;
  if (interfaceName === PEER) return [peer, methodOf(peer.description, member)];
  if (node === undefined) throw new UnknownObjectError(`there is no object at ${path}`);
  // No exported interface has the name of a standard one.
  const standard = interfaceName === undefined ? undefined : standardTargets.get(interfaceName);
  if (standard !== undefined && (standard !== objectManager || node.managesObjects))
    return [standard, methodOf(standard.description, member)];
  const targets = targetsOf(node);
  if (interfaceName === undefined) return withoutInterface(path, targets, message);
  const target = targets.find(({ description }) => description.name === interfaceName);
  if (target === undefined) {
    const names = targets.map(({ description }) => description.name);
    throw new UnknownInterfaceError(`${path} has no interface ${interfaceName}${suggestion(interfaceName, names)}`);
  }
  return [target, methodOf(target.description, member)];
}

function methodOf(description: InterfaceDescription, member: string): MethodDescription {
  const method = description.methods.get(member);
  if (method !== undefined) return method;
  const names = description.methods.keys();
  throw new UnknownMethodError(`${description.name} has no method ${member}${suggestion(member, names)}`);
}

/** Finds the method of a call without an interface. The call is answered if only one method has that name. */
function withoutInterface(
  path: string,
  targets: readonly CallTarget[],
  { member = '', signature }: IncomingMessage,
): [CallTarget, MethodDescription] {
  const found: [CallTarget, MethodDescription][] = [];
  for (const target of targets) {
    const method = target.description.methods.get(member);
    if (method !== undefined) found.push([target, method]);
  }
  const matching = found.filter(([, method]) => method.inSignature === signature);
  const [only, another] = found.length > 1 ? matching : found;
  if (only !== undefined && another === undefined) return only;
  if (found.length === 0) throw new UnknownMethodError(`no interface of ${path} has a method ${member}`);
  const names = found.map(([{ description }]) => description.name).join(', ');
  throw new UnknownMethodError(`${member} is ambiguous at ${path}: name one of the interfaces ${names}`);
}

/** @throws the error for the caller if the body does not have the method's signature */
function checkBody(message: IncomingMessage, { name, inSignature }: MethodDescription): void {
  const { fault, signature } = message;
  // The caller gets the same error for invalid values as for values of the wrong type.
  if (fault instanceof ProtocolError) throw new InvalidArgumentError(fault.message);
  if (fault !== undefined) throw asAnswer(fault);
  if (signature === inSignature) return;
  throw new InvalidArgumentError(`${name} takes "${inSignature}", but the call has "${signature}"`);
}

function reply(call: IncomingCall, method: MethodDescription, result: unknown): void {
  try {
    if (call.reply(method.outSignature, valuesOf(method, result))) return;
  } catch (error) {
    if (isOverOrFull(error)) {
      report('send', `the reply to ${call.what} could not be sent`, error, call.connectionId);
      call.finish();
    } else if (error instanceof NotSupportedError) {
      report('send', `the result of ${call.what} could not be sent`, error, call.connectionId);
      fail(call, asAnswer(error));
    } else {
      const { subject } = call;
      const rootOf = (index: number) => subject?.root ?? resultName(method, index);
      const cure = subject === undefined ? '' : cureOfUnset((result as Variant).value);
      reportMisfit(call.misfitOf(method), refusalOfReturned(withoutPurpose(error), rootOf, cure), call.connectionId);
      fail(
        call,
        new DBusError(FAILED, `${subject?.name ?? `the result of ${method.name}`} does not match its signature`),
      );
    }
  }
  closeHandedOver(method.outSignature, result);
}

function valuesOf({ out, outShapes }: MethodDescription, result: unknown): readonly unknown[] {
  if (out.length === 0) return [];
  if (outShapes !== undefined) return shapedBody(outShapes, out.length === 1 ? [result] : severalOf(out, result));
  return out.length === 1 ? [result] : severalOf(out, result);
}

function severalOf(out: MethodDescription['out'], result: unknown): readonly unknown[] {
  if (Array.isArray(result) && result.length === out.length) return result;
  const expected = misfit(`an array of ${out.length} values`, result);
  throw withoutFrames(new InvalidArgumentError(`result${expected.message}`));
}

/** The name of a value of a result in error texts, for the author of the method. */
function resultName({ out }: MethodDescription, index: number): string {
  return out.length === 1 ? 'result' : `result[${index}]`;
}

/** Answers with the error that a handler threw, as far as it can be sent. */
function fail(call: IncomingCall, thrown: unknown): void {
  for (const answer of errorAnswers(call, thrown)) {
    try {
      if (!call.replyError(answer)) closeHandedOver(answer.signature, answer.body);
      return;
    } catch (error) {
      const what = `the error of ${call.what} could not be sent`;
      const bodyName = (index: number) => `body[${index}]`;
      if (error instanceof InvalidArgumentError)
        reportMisfit(what, refusalOfReturned(withoutPurpose(error), bodyName), call.connectionId);
      else report('send', what, error, call.connectionId);
      closeHandedOver(answer.signature, answer.body);
      if (isOverOrFull(error)) break;
    }
  }
  call.finish();
}
