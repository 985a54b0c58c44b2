/**
 * The message bus as a peer: the object that answers to `org.freedesktop.DBus`, and the methods that busbar calls on
 * it.
 *
 * @see D-Bus specification, section "Message Bus Messages"
 */

import { ProtocolError, ServiceUnknownError } from '../../base/errors.js';
import { isBusName, isUniqueName, quoted } from '../../base/names.js';
import type { Connection } from '../../connection/connection.js';
import { MessageType } from '../../connection/message.js';
import type { InnerWaitOptions, ReplyBody, WaitOptions } from '../../connection/sending/pending-calls.js';
import { FileDescriptor } from '../../values/file-descriptor.js';

export const BUS_NAME = 'org.freedesktop.DBus';
export const BUS_PATH = '/org/freedesktop/DBus';
export const BUS_INTERFACE = 'org.freedesktop.DBus';

/** The credentials of a connection to the bus, as far as the bus knows them. */
export interface Credentials {
  /** The user id; `undefined` if the bus does not know it. */
  readonly uid: number | undefined;
  /** The process id; `undefined` if the bus does not know it. The system reuses the id of a process that has ended. */
  readonly pid: number | undefined;
  /** Numeric ids of the groups, including the primary group. */
  readonly gids: readonly number[] | undefined;
  /** The label of the security module (SELinux, AppArmor), without its terminating NUL. */
  readonly securityLabel: string | undefined;
  /** All credentials that the bus returned, under the bus's names, except `ProcessFD`. */
  readonly all: Readonly<Record<string, unknown>>;
}

/** The results of RequestName. */
export const RequestNameReply = { PrimaryOwner: 1, InQueue: 2, Exists: 3, AlreadyOwner: 4 } as const;

/** The results of ReleaseName. */
export const ReleaseNameReply = { Released: 1, NonExistent: 2, NotOwner: 3 } as const;

/** The results of StartServiceByName. */
const StartServiceReply = { Success: 1, AlreadyRunning: 2 } as const;

/** @throws {@link ProtocolError} if the value is not a name */
function expectName(member: string, name: unknown, isName: (name: string) => boolean): string {
  if (isName(name as string)) return name as string;
  throw new ProtocolError(`the bus answered ${member} with ${quoted(String(name))}, which is not a valid name`);
}

/** @throws {@link ProtocolError} if the specification does not define the code */
function expectCode(member: string, code: unknown, codes: Readonly<Record<string, number>>): number {
  if (Object.values(codes).includes(code as number)) return code as number;
  throw new ProtocolError(`the bus answered ${member} with ${String(code)}, which the specification does not define`);
}

export class BusDriver {
  #connection: Connection;
  readonly #user: object | undefined;
  readonly #onSerial: ((serial: number) => void) | undefined;

  /**
   * @param user the user of the connection whose end also ends the calls; without it they end with the connection
   * @param onSerial called with the serial of each call before it is sent
   */
  constructor(connection: Connection, user?: object, onSerial?: (serial: number) => void) {
    this.#connection = connection;
    this.#user = user;
    this.#onSerial = onSerial;
  }

  /** Calls the bus of a connection that follows a lost one. */
  moveTo(connection: Connection): void {
    this.#connection = connection;
  }

  /** The number of the connection in diagnostics. */
  get connectionId(): number {
    return this.#connection.id;
  }

  /**
   * Calls a method of the bus and returns its values, after checking that their types are `answer`. A message that
   * claims to be the bus's must not bring a number where a name is expected.
   */
  #ask<Result = unknown[]>(
    member: string,
    answer: string,
    signature = '',
    body: readonly unknown[] = [],
    options: InnerWaitOptions = {},
    take: (values: unknown[]) => Result = (values) => values as Result,
    interfaceName = BUS_INTERFACE,
  ): Promise<Result> {
    const type = MessageType.MethodCall;
    const call = { type, destination: BUS_NAME, path: BUS_PATH, interface: interfaceName, member, signature };
    // Urgent, so that a long queue cannot refuse it: a rule that is not removed, or a name that is not given back,
    // would show much later, and elsewhere.
    const serial = this.#onSerial && this.#connection.sender.reserveSerial();
    if (serial !== undefined) this.#onSerial?.(serial);
    const takeAnswer = (reply: ReplyBody) => {
      if (reply.signature === answer) return take(reply.decode());
      throw new ProtocolError(`the bus answered ${member} with "${reply.signature}" instead of "${answer}"`);
    };
    return this.#connection.calls.call(call, body, { ...options, serial, isUrgent: true }, takeAnswer, this.#user);
  }

  async hello(options?: WaitOptions): Promise<string> {
    const [uniqueName] = await this.#ask('Hello', 's', '', [], options);
    return expectName('Hello', uniqueName, isUniqueName);
  }

  /** Resolves when the bus has answered. Everything that it had routed here before has arrived by then. */
  async roundTrip(): Promise<void> {
    await this.#ask('GetId', 's');
  }

  /**
   * Becomes a monitor, which must not send anything any more. All names are lost.
   *
   * @param rules which messages the monitor gets; all without any
   * @param onReply called when the bus has accepted, before any later message is handled
   * @see D-Bus specification, section "org.freedesktop.DBus.Monitoring.BecomeMonitor"
   */
  async becomeMonitor(rules: readonly string[], onReply: () => void, options?: WaitOptions): Promise<void> {
    const name = 'org.freedesktop.DBus.Monitoring';
    await this.#ask('BecomeMonitor', '', 'asu', [rules, 0], options, onReply, name);
  }

  async addMatch(rule: string): Promise<void> {
    await this.#ask('AddMatch', '', 's', [rule]);
  }

  async removeMatch(rule: string): Promise<void> {
    await this.#ask('RemoveMatch', '', 's', [rule]);
  }

  /** Calls `onReply` with the answer before any later message of the bus is handled. */
  async requestName(name: string, flags: number, onReply: (reply: number) => void): Promise<void> {
    await this.#ask('RequestName', 'u', 'su', [name, flags], {}, ([reply]) => {
      onReply(expectCode('RequestName', reply, RequestNameReply));
    });
  }

  async releaseName(name: string): Promise<number> {
    const [reply] = await this.#ask('ReleaseName', 'u', 's', [name]);
    return expectCode('ReleaseName', reply, ReleaseNameReply);
  }

  async names(member: 'ListNames' | 'ListActivatableNames', options?: WaitOptions): Promise<string[]> {
    const [names] = await this.#ask(member, 'as', '', [], options);
    return names as string[];
  }

  /** Resolves with the unique name of the owner. Rejects with `NameHasNoOwnerError` if there is none. */
  async nameOwner(name: string, options?: WaitOptions): Promise<string> {
    const [owner] = await this.#ask('GetNameOwner', 's', 's', [name], options);
    return expectName('GetNameOwner', owner, isBusName);
  }

  /**
   * As `nameOwner`, but passes the answer on before any later message of the bus is handled: the owner, or the name of
   * the error.
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

  async hasOwner(name: string, options?: WaitOptions): Promise<boolean> {
    const [owned] = await this.#ask('NameHasOwner', 'b', 's', [name], options);
    return owned as boolean;
  }

  async startService(name: string, options?: WaitOptions): Promise<'started' | 'running'> {
    try {
      const [reply] = await this.#ask('StartServiceByName', 'u', 'su', [name, 0], options);
      const code = expectCode('StartServiceByName', reply, StartServiceReply);
      return code === StartServiceReply.Success ? 'started' : 'running';
    } catch (error) {
      // dbus-daemon also answers so if a service could not be started although it is running.
      if (error instanceof ServiceUnknownError && (await this.hasOwner(name, options))) return 'running';
      throw error;
    }
  }

  async credentials(name: string, options?: WaitOptions): Promise<Credentials> {
    const { pidfd, ...credentials } = await this.processCredentials(name, options);
    pidfd?.close();
    return credentials;
  }

  /** As `credentials`, with the descriptor of the process, if the bus has one: the caller has to close it. */
  async processCredentials(
    name: string,
    options?: WaitOptions,
  ): Promise<Credentials & { readonly pidfd: FileDescriptor | undefined }> {
    const [answer] = await this.#ask('GetConnectionCredentials', 'a{sv}', 's', [name], options);
    const { ProcessFD, ...all } = answer as Record<string, unknown>;
    const label = all.LinuxSecurityLabel;
    return {
      pidfd: FileDescriptor.isFileDescriptor(ProcessFD) ? ProcessFD : undefined,
      uid: all.UnixUserID as number | undefined,
      pid: all.ProcessID as number | undefined,
      gids: all.UnixGroupIDs as number[] | undefined,
      securityLabel: Buffer.isBuffer(label) ? label.toString('latin1').replace(/\0+$/, '') : undefined,
      all,
    };
  }
}

/** The header fields of a signal of the bus that are checked. */
interface ReceivedHeader {
  readonly type: MessageType;
  readonly sender: string | undefined;
  readonly interface: string | undefined;
  readonly member: string | undefined;
  readonly signature: string;
}

/**
 * Whether a message is the bus's own signal of that name and signature. No other connection can send under the bus's
 * name.
 */
export function isBusSignal(message: ReceivedHeader, member: string, signature: string): boolean {
  return (
    message.type === MessageType.Signal &&
    message.member === member &&
    message.signature === signature &&
    message.sender === BUS_NAME &&
    message.interface === BUS_INTERFACE
  );
}
