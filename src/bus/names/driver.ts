/**
 * The message bus itself as a peer: the object that answers to `org.freedesktop.DBus`, and what busbar calls on it.
 *
 * @see D-Bus specification, section "Message Bus Messages"
 */

import { ProtocolError, ServiceUnknownError } from '../../base/errors.js';
import { isBusName, isUniqueName, quoted } from '../../base/names.js';
import type { Connection } from '../../connection/connection.js';
import { MessageType } from '../../connection/message.js';
import type { InnerWaitOptions, ReplyBody, WaitOptions } from '../../connection/sending/pending-calls.js';

export const BUS_NAME = 'org.freedesktop.DBus';
export const BUS_PATH = '/org/freedesktop/DBus';
export const BUS_INTERFACE = 'org.freedesktop.DBus';

/** Who a connection to the bus is, as far as the bus knows. */
export interface Credentials {
  /** The user id; `undefined` where the bus does not know. */
  readonly uid: number | undefined;
  /** The process id; `undefined` where the bus does not know. Ids are used again when a process has ended. */
  readonly pid: number | undefined;
  /** Numeric ids of the groups, the primary one included. */
  readonly gids: readonly number[] | undefined;
  /** The label of the security module (SELinux, AppArmor), without its closing NUL. */
  readonly securityLabel: string | undefined;
  /** Everything that the bus told, under its names for it. */
  readonly all: Readonly<Record<string, unknown>>;
}

/** What RequestName answers. */
export const RequestNameReply = { PrimaryOwner: 1, InQueue: 2, Exists: 3, AlreadyOwner: 4 } as const;

/** What ReleaseName answers. */
export const ReleaseNameReply = { Released: 1, NonExistent: 2, NotOwner: 3 } as const;

/** What StartServiceByName answers. */
const StartServiceReply = { Success: 1, AlreadyRunning: 2 } as const;

/** @throws {@link ProtocolError} for what is no name */
function expectName(member: string, name: unknown, isName: (name: string) => boolean): string {
  if (isName(name as string)) return name as string;
  throw new ProtocolError(`the bus answered ${member} with ${quoted(String(name))}, which is not such a name`);
}

/** @throws {@link ProtocolError} for a code that the specification does not have */
function expectCode(member: string, code: unknown, codes: Readonly<Record<string, number>>): number {
  if (Object.values(codes).includes(code as number)) return code as number;
  throw new ProtocolError(`the bus answered ${member} with ${String(code)}, which the specification does not have`);
}

export class BusDriver {
  readonly #connection: Connection;
  readonly #user: object | undefined;

  /** @param user of the connection, with whom the calls end; they end with the connection if left out */
  constructor(connection: Connection, user?: object) {
    this.#connection = connection;
    this.#user = user;
  }

  /** The number by which diagnostics call the connection. */
  get connectionId(): number {
    return this.#connection.id;
  }

  /**
   * Calls a method of the bus and returns its values, which are what `answer` says: bytes that claim to be the bus's are
   * no reason to have a number where everybody expects a name.
   */
  #ask<Result = unknown[]>(
    member: string,
    answer: string,
    signature = '',
    body: readonly unknown[] = [],
    options: InnerWaitOptions = {},
    take: (values: unknown[]) => Result = (values) => values as Result,
  ): Promise<Result> {
    const type = MessageType.MethodCall;
    const call = { type, destination: BUS_NAME, path: BUS_PATH, interface: BUS_INTERFACE, member, signature };
    // That a rule is not removed, or a name not given back, would be seen much later, and by somebody else.
    const takeAnswer = (reply: ReplyBody) => {
      if (reply.signature === answer) return take(reply.decode());
      throw new ProtocolError(`the bus answered ${member} with "${reply.signature}" instead of "${answer}"`);
    };
    return this.#connection.calls.call(call, body, { ...options, isUrgent: true }, takeAnswer, this.#user);
  }

  async hello(options?: WaitOptions): Promise<string> {
    const [uniqueName] = await this.#ask('Hello', 's', '', [], options);
    return expectName('Hello', uniqueName, isUniqueName);
  }

  /** Resolves when the bus has answered: what it had routed here before has come by then. */
  async roundTrip(): Promise<void> {
    await this.#ask('GetId', 's');
  }

  async addMatch(rule: string): Promise<void> {
    await this.#ask('AddMatch', '', 's', [rule]);
  }

  async removeMatch(rule: string): Promise<void> {
    await this.#ask('RemoveMatch', '', 's', [rule]);
  }

  /** Tells what the bus answers before anything that the bus sent behind it is handled. */
  async requestName(name: string, flags: number, onReply: (reply: number) => void): Promise<void> {
    await this.#ask('RequestName', 'u', 'su', [name, flags], {}, ([reply]) => {
      onReply(expectCode('RequestName', reply, RequestNameReply));
    });
  }

  async releaseName(name: string): Promise<number> {
    const [reply] = await this.#ask('ReleaseName', 'u', 's', [name]);
    return expectCode('ReleaseName', reply, ReleaseNameReply);
  }

  async names(member: 'ListNames' | 'ListActivatableNames'): Promise<string[]> {
    const [names] = await this.#ask(member, 'as');
    return names as string[];
  }

  /** The unique name of the owner; rejects with `NameHasNoOwnerError` where there is none. */
  async nameOwner(name: string): Promise<string> {
    const [owner] = await this.#ask('GetNameOwner', 's', 's', [name]);
    return expectName('GetNameOwner', owner, isBusName);
  }

  /**
   * As `nameOwner`, but tells what the bus answers before anything that the bus sent behind it is handled: the owner, or
   * the name of the error.
   */
  async tellNameOwner(
    name: string,
    onOwner: (owner: string) => void,
    onError: (errorName: string | undefined) => void,
  ): Promise<void> {
    await this.#ask('GetNameOwner', 's', 's', [name], { onError }, ([owner]) => {
      onOwner(expectName('GetNameOwner', owner, isBusName));
    });
  }

  async hasOwner(name: string): Promise<boolean> {
    const [owned] = await this.#ask('NameHasOwner', 'b', 's', [name]);
    return owned as boolean;
  }

  async startService(name: string): Promise<'started' | 'running'> {
    try {
      const [reply] = await this.#ask('StartServiceByName', 'u', 'su', [name, 0]);
      const code = expectCode('StartServiceByName', reply, StartServiceReply);
      return code === StartServiceReply.Success ? 'started' : 'running';
    } catch (error) {
      // dbus-daemon says so of a service that it could not start as well, although it is running.
      if (error instanceof ServiceUnknownError && (await this.hasOwner(name))) return 'running';
      throw error;
    }
  }

  async credentials(name: string): Promise<Credentials> {
    const [answer] = await this.#ask('GetConnectionCredentials', 'a{sv}', 's', [name]);
    const all = answer as Record<string, unknown>;
    const label = all.LinuxSecurityLabel;
    return {
      uid: all.UnixUserID as number | undefined,
      pid: all.ProcessID as number | undefined,
      gids: all.UnixGroupIDs as number[] | undefined,
      securityLabel: Buffer.isBuffer(label) ? label.toString('latin1').replace(/\0+$/, '') : undefined,
      all,
    };
  }
}

/** What is looked at in a signal of the bus. */
interface ReceivedHeader {
  readonly type: MessageType;
  readonly sender: string | undefined;
  readonly interface: string | undefined;
  readonly member: string | undefined;
  readonly signature: string;
}

/** Whether a message is the bus's own signal of that name and signature: nobody else can send under the bus's name. */
export function isBusSignal(message: ReceivedHeader, member: string, signature: string): boolean {
  return (
    message.type === MessageType.Signal &&
    message.member === member &&
    message.signature === signature &&
    message.sender === BUS_NAME &&
    message.interface === BUS_INTERFACE
  );
}
