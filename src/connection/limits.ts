/**
 * The limits of what one connection may cost: the one list, with defaults, checked in one place. SECURITY.md, section
 * "Limits", explains each default.
 */

import { InvalidArgumentError } from '../base/errors.js';
import { unknownKey } from '../base/known-options.js';
import { MESSAGE_BYTES_MAXIMUM } from '../codec/limits.js';

/** All limits of a connection, none left out. */
export type CompleteLimits = { readonly [Name in keyof ConnectionLimits]-?: number };

/** All limits of a server, none left out. */
export type CompleteServerLimits = { readonly [Name in keyof ServerLimits]-?: number };

/**
 * Limits of the resources of this process that the other side of a connection may use. Exceeding a limit affects only
 * the sender.
 */
export interface ConnectionLimits {
  /**
   * Bytes of one received message, including its header. A larger message is skipped while it is read, and never
   * stored: a call is answered with `LimitsExceeded`, a reply makes its call reject with `LimitsExceededError`, and a
   * signal is dropped and reported. On the transport `sd-bus`, whose library stores every message, only the body
   * counts. Default: 128 MiB, the maximum of D-Bus.
   */
  readonly messageSize?: number | undefined;
  /**
   * Bytes of memory that the decoded values of one received message may take. Small values take many times their size
   * on the wire: an empty array of bytes takes about 300 bytes. The sum is computed before anything is decoded, from
   * figures that were measured in V8 and rounded up. A message that exceeds it is treated like one that exceeds
   * `messageSize`. Default: 128 MiB.
   */
  readonly decodedSize?: number | undefined;
  /**
   * Method calls of one caller that may be in progress at a time. Calls that are done when their handlers return do not
   * count. A further call is answered with LimitsExceeded, and is not decoded. Default: 4096.
   */
  readonly callsInProgress?: number | undefined;
  /**
   * Bytes that may be queued for writing. Beyond that, the program's own messages are refused with a
   * `BackpressureError`. If as many bytes of replies are queued, no further call is read. Replies may reach four times
   * the limit. Default: 64 MiB.
   */
  readonly queuedBytes?: number | undefined;
  /**
   * Received file descriptors of one sender that may be in use at a time, by calls and signals in progress and by
   * signals that wait for a loop. All senders together may have four times as many. A message that brings more is
   * refused. Descriptors that were taken do not count. Default: 1024.
   */
  readonly descriptors?: number | undefined;
  /**
   * File descriptors in one message that is sent; a message with more is refused with an `InvalidArgumentError`.
   * dbus-daemon closes the connection of a client that sends more than 16, unless its configuration
   * (`max_message_unix_fds`) allows more; dbus-broker counts all descriptors of a user. The replies of GetAll and
   * GetManagedObjects leave out values that would exceed it. Default: 16 on a bus, 253 between peers, which is the
   * maximum of the kernel.
   */
  readonly messageDescriptors?: number | undefined;
}

/** The limits of a server for peers: those of each connection, and the number of connections. */
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

/** Between peers, only the kernel has a limit for the descriptors of a message (SCM_MAX_FD). */
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
 * Adds the defaults of the limits that are left out.
 *
 * @throws {@link InvalidArgumentError} for an unknown limit, or a value that is not an integer above 0
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
        `limits.${name}: the kernel accepts at most ${PEER_LIMITS.messageDescriptors}, not ${value}`,
      );
    }
    limits[name] = value;
  }
  return limits as { readonly [Name in keyof Limits]: number };
}
