/**
 * How much one connection may cost: the one list of limits, with its defaults, checked in one place. What each default
 * rests on is told in SECURITY.md, section "Limits".
 */

import { InvalidArgumentError } from '../base/errors.js';
import { unknownKey } from '../base/known-options.js';
import { MESSAGE_BYTES_MAXIMUM } from '../codec/limits.js';

/** All limits of a connection, none left out. */
export type CompleteLimits = { readonly [Name in keyof ConnectionLimits]-?: number };

/** All limits of a server, none left out. */
export type CompleteServerLimits = { readonly [Name in keyof ServerLimits]-?: number };

/** How much the other side of a connection may cost this process. What exceeds a limit costs only its sender. */
export interface ConnectionLimits {
  /**
   * Bytes of one received message, header included. A larger one is skipped as it comes and never stored: its caller is
   * answered with `LimitsExceeded`, a call that it answers rejects with `LimitsExceededError`, a signal is dropped and
   * reported. On the transport `sd-bus`, whose library stores every message, the body alone counts. Default: 128 MiB, the
   * maximum of D-Bus.
   */
  readonly messageSize?: number | undefined;
  /**
   * Bytes of memory that the values of one received message may take once they are decoded: small values take many
   * times their size on the wire, an empty array of bytes about 300 bytes. It is added up before anything is decoded, from
   * figures that were measured in V8 and rounded up; a message beyond it costs what one beyond `messageSize` costs.
   * Default: 128 MiB.
   */
  readonly decodedSize?: number | undefined;
  /**
   * Method calls of one caller that may be in progress at a time; those that are done when their handlers return do not
   * count. One more is answered with LimitsExceeded, and nothing of it is decoded. Default: 4096.
   */
  readonly callsInProgress?: number | undefined;
  /**
   * Bytes that may wait to be written before the program's own messages are refused with a `BackpressureError`, and bytes of
   * answers that may wait before no further call is read. Answers may exceed it up to four times. Default: 64 MiB.
   */
  readonly queuedBytes?: number | undefined;
  /**
   * Received file descriptors of one sender's messages that may be in progress, or wait for a loop, at a time; those of all
   * senders may be four times as many. A message that brings more is refused. Descriptors that were taken are not counted.
   * Default: 1024.
   */
  readonly descriptors?: number | undefined;
  /**
   * File descriptors of one message that is sent; more are refused with an `InvalidArgumentError`. dbus-daemon hangs up on
   * whoever sends it more than 16, unless its configuration (`max_message_unix_fds`) says otherwise; dbus-broker counts all of
   * a user. What is collected for a caller, by GetAll and GetManagedObjects, leaves out what exceeds it. Default: 16 on a bus,
   * 253 between peers, which is all that the kernel takes.
   */
  readonly messageDescriptors?: number | undefined;
}

/** The limits of a server for peers: those of each connection, and how many connections there may be. */
export interface ServerLimits extends ConnectionLimits {
  /** Connections that may be open at a time. Default: 1024. */
  readonly connections?: number | undefined;
  /** Connections that may be authenticating at a time; further ones wait in the queue of the kernel. Default: 64. */
  readonly unauthenticated?: number | undefined;
}

export const CONNECTION_LIMITS = {
  messageSize: MESSAGE_BYTES_MAXIMUM,
  decodedSize: 128 * 1024 * 1024,
  callsInProgress: 4096,
  queuedBytes: 64 * 1024 * 1024,
  descriptors: 1024,
  messageDescriptors: 16,
} as const satisfies Required<ConnectionLimits>;

/** Between peers nobody counts but the kernel, which takes no more at a time (SCM_MAX_FD). */
export const PEER_LIMITS = {
  ...CONNECTION_LIMITS,
  messageDescriptors: 253,
} as const satisfies Required<ConnectionLimits>;

export const SERVER_LIMITS = {
  ...PEER_LIMITS,
  connections: 1024,
  unauthenticated: 64,
} as const satisfies Required<ServerLimits>;

/**
 * The limits with the defaults of those that are left out.
 *
 * @throws {@link InvalidArgumentError} for an unknown limit, or a value that is no integer above 0
 */
export function completeLimits<Limits extends Readonly<Record<string, number>>>(
  given: Readonly<Partial<Record<keyof Limits, number | undefined>>> | undefined,
  defaults: Limits,
): { readonly [Name in keyof Limits]: number } {
  if (given === undefined) return defaults;
  if (typeof given !== 'object' || given === null) {
    throw new InvalidArgumentError(`limits: expected an object, got ${String(given)}`);
  }
  const limits: Record<string, number> = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name)) {
      throw unknownKey('limits', 'limit', name, Object.keys(defaults));
    }
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) {
      throw new InvalidArgumentError(`limits.${name}: expected an integer above 0, got ${String(value)}`);
    }
    if (name === 'messageDescriptors' && value > PEER_LIMITS.messageDescriptors) {
      throw new InvalidArgumentError(
        `limits.${name}: the kernel takes ${PEER_LIMITS.messageDescriptors} at most, not ${value}`,
      );
    }
    limits[name] = value;
  }
  return limits as { readonly [Name in keyof Limits]: number };
}
