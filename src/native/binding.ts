/**
 * The seam: everything that TypeScript and the addon know of each other, typed in one place.
 *
 * Bytes cross it in batches. Incoming messages arrive in an *inbox* arena that TypeScript allocated and lent to the
 * addon; a row of integers in `rows` describes each message. Outgoing messages are written by TypeScript into an
 * arena of its own and handed over with `send`. Only this file names members of the addon; `load.ts` loads it.
 *
 * Every multi-byte number on either side of the seam is little-endian, whatever byte order the peer used.
 */

/** The column of an inbox row. A row is {@link ROW_LENGTH} consecutive 32-bit integers of `InboxMemory.rows`. */
export const Column = {
  /**
   * Message type: 1 method call, 2 method return, 3 error, 4 signal. Unknown types never cross the seam. Whoever takes
   * the row may set it to 0: if `onBatch` throws, the addon goes on with the next row that is not marked so, and it
   * closes the descriptors of unmarked rows that nobody takes any more.
   */
  Type: 0,
  /** Header flags as on the wire. */
  Flags: 1,
  Serial: 2,
  /** 0 where the message carries no REPLY_SERIAL. */
  ReplySerial: 3,
  /** String ids: see {@link InboxMemory.strings}; 0 means that the header field is absent. */
  Path: 4,
  Interface: 5,
  Member: 6,
  ErrorName: 7,
  Destination: 8,
  Sender: 9,
  /** The id of the body's signature; 0 for an empty body. */
  Signature: 10,
  /** Byte offset of the body in the inbox, always a multiple of 8 (or in the large body, see `batch`). */
  BodyOffset: 11,
  BodyLength: 12,
  /** Index of the first of the message's descriptors in `InboxMemory.fds`. The receiver of the batch owns them. */
  FdOffset: 13,
  FdCount: 14,
  /**
   * 0 for a sound message; else a {@link Fault} in the lowest 8 bits, and above them the number of the rule that the message
   * breaks, for `describeRule`, or 0. The body of a faulty message is not delivered: offset and length are 0.
   */
  Fault: 15,
} as const;

export const ROW_LENGTH = 16;

/**
 * The version of all that is said here, which the addon says as well (`kSeamVersion` in native/seam_version.h). Whoever changes
 * what crosses the seam, or how memory is laid out, raises both.
 */
export const SEAM_VERSION = 1;

/** Why a message was refused. Where it ends is known nevertheless, so the failure costs this message only. */
export const Fault = {
  None: 0,
  /** The bytes do not fit the signature: length, padding, boolean, string, path, signature, nesting, or fd index. */
  InvalidBody: 1,
  /** sd-bus refuses a string. It does not say why: it is invalid, or holds a Unicode noncharacter, which is valid. */
  UnsupportedBody: 2,
  /** The body could not be stored: out of memory. */
  OutOfMemory: 3,
  /** The message is larger than `limits.messageSize`. */
  MessageSize: 4,
  /** The values would take more memory than `limits.decodedSize`. */
  DecodedSize: 5,
  /**
   * The header breaks a rule. The row has what could be read of it; where that does not tell who is to be answered, or whether
   * it is to be, the flag NO_REPLY_EXPECTED is set.
   */
  InvalidHeader: 6,
} as const;

/** The {@link Fault} in a row's column. */
export const faultOf = (column: number): number => column & 0xff;
/** The broken rule in a row's column, for `describeRule`. */
export const ruleOf = (column: number): number => column >>> 8;

/** Memory that TypeScript allocates once for an open connection; the addon only ever writes into it. */
export interface InboxMemory {
  /** Bodies of a batch, each on an 8-byte boundary, and the bytes of strings that are new in it. */
  readonly arena: ArrayBuffer;
  readonly rows: Int32Array;
  /**
   * Header strings cross once and are ids after that. Three integers a new string: id, byte offset in the arena, byte
   * length (UTF-8). A string's entry comes in the batch that first uses the id; the addon may reuse the id of a
   * string in a later batch, and announces it again then. A string that is too long for the arena is in the large body of the
   * batch; its offset is `~offset` then, which is negative.
   */
  readonly strings: Int32Array;
  /** Descriptors received with the messages of a batch. */
  readonly fds: Int32Array;
}

interface NativeConnectionOptions {
  /** What one received message may cost: what exceeds a limit has a {@link Fault} that says so. Numbers above 0. */
  readonly limits: { readonly messageSize: number; readonly decodedSize: number };
  /** One D-Bus server address (no `;` list), for sd-bus; not looked at where there is a `target`, or something to `serve`. */
  readonly address: string;
  /** What the transport `socket` connects to and authenticates with by itself. The transport `sd-bus` has none. */
  readonly target?: SocketTarget | undefined;
  /** An accepted client, of whose connection this is the server's end. */
  readonly serve?: ServedSocket | undefined;
  /** As a client: authenticate without saying who one is. As a server: let such clients in. */
  readonly anonymous?: boolean | undefined;
  readonly transport: TransportKind;
  readonly poller: PollerKind;
  /**
   * Called once, when the transport is authenticated and messages can be sent. Returns the memory for messages: before
   * that nothing of the kind is needed, and a client that never authenticates costs none.
   */
  readonly onOpen: (canSendFds: boolean) => InboxMemory;
  /**
   * Called with messages `from` to `count - 1` of the batch in `rows`; returns the row to go on with. A return below
   * `count` asks the addon to leave the callback scope (so that microtasks run) and to call again from that row.
   * `newStrings` entries of `strings` are valid in the first call of a batch and 0 in the others. A body too large for
   * the arena comes alone in its batch, in `large`: that memory may be longer than the body, and hold the next one later.
   * `milliseconds` are left of the turn: where they are over, the rest is for the next turn, which a return below `count`
   * leads to as well.
   */
  readonly onBatch: (
    from: number,
    count: number,
    newStrings: number,
    large: ArrayBuffer | undefined,
    milliseconds: number,
  ) => number;
  /**
   * Called when everything that had to be queued natively was written. While reading is paused, also when at most as many
   * bytes wait as `pause` said, and when the other side has `hungUp`; after that, reading is not paused any more.
   */
  readonly onDrain: (hungUp: boolean) => void;
  /**
   * A message that sd-bus would not take, with its errno. Called from within `send`. Where it is a reply, `replySerial` and
   * `destination` tell whose call it was to answer; else they are 0 and empty.
   */
  readonly onRefused: (serial: number, errno: number, replySerial: number, destination: string) => void;
  /**
   * Called exactly once, last, after `start` succeeded: `errno` is 0 if `close` was called here, else the reason.
   * `phase` tells how far the connection had come. `detail` says in words what was wrong with the bytes of the other
   * side, or where in the handshake it hung up, if that was the reason; it is empty otherwise. Where a server turned this
   * client away by its handshake (`EACCES` in the phase `authenticate`), it is the mechanisms that it lets clients in by.
   */
  readonly onClose: (errno: number, phase: ConnectionPhase, detail: string) => void;
}

/** What a client's socket connects to. */
export interface SocketTarget {
  /** The name of a unix socket, which begins with a NUL if it is abstract; empty for TCP. */
  readonly name: string;
  /** A numeric IPv4 or IPv6 address, and a port. */
  readonly ip: string;
  readonly port: number;
  /** What the server has to say that it is: 16 bytes; anything if left out. */
  readonly guid?: Uint8Array | undefined;
  /**
   * Whether it is a bus. Then the client is first of all whom the kernel says, which works where user ids differ, and says one
   * line at a time. To a peer it says its user id first.
   */
  readonly isBus?: boolean | undefined;
}

export interface ServedSocket {
  /** The connected socket; the connection owns it from its construction on, also if that throws. */
  readonly fd: number;
  /** What the server says that it is: 16 bytes. */
  readonly guid: Uint8Array;
}

/** Who is at the other end of a unix socket, as the kernel knows: who connected, or who listened. */
export interface PeerCredentials {
  readonly uid: number;
  /** 0 for a process that cannot be seen from this PID namespace. */
  readonly pid: number;
  /** The primary group first. */
  readonly gids: readonly number[];
  /** Empty where there is no security module. */
  readonly securityLabel: string;
}

/** What moves the bytes: busbar itself on a `socket`, or the library of `sd-bus`. */
export type TransportKind = 'sd-bus' | 'socket';
/** `uv`: uv_poll on the event loop. `thread`: a poll thread and a threadsafe function, for runtimes without libuv. */
export type PollerKind = 'uv' | 'thread';
/** How far a connection came: `connect` to the socket, `authenticate`, or `open`. */
export type ConnectionPhase = 'connect' | 'authenticate' | 'open';

/** One connection. All methods belong to the thread of the environment that made it. */
export interface NativeConnection {
  /** Begins to connect. Returns 0, or a positive errno when that failed at once (then `onClose` is not called). */
  start(): number;
  /**
   * Sends the messages in `bytes[0..end)`. Each starts on an 8-byte boundary, so there may be up to 7 bytes of gap
   * between them. `fds` are the descriptors of the one message handed over, and are duplicated: the caller keeps its
   * own. The memory may be reused when this returns. Returns the bytes that the addon still has to write, so 0 means
   * that the kernel has everything.
   */
  send(bytes: Uint8Array, end: number, fds: Int32Array | undefined): number;
  /** Writes what is queued, blocking for at most `milliseconds`; for a process that is about to exit. */
  flush(milliseconds: number): void;
  /** Closes at once and calls `onClose` before it returns. Idempotent. */
  close(): void;
  /** Whether the connection keeps the event loop alive. A new connection does. */
  ref(): void;
  unref(): void;
  /**
   * Reads nothing any more, and hands over no further row, until `resume` or until the other side has hung up. What
   * waits is still written: `onDrain` is called when at most `until` bytes wait. With a negative `until` it never is:
   * nobody has the connection yet, and the end of it is told only where the other side has left nothing to be read.
   */
  pause(until: number): void;
  resume(): void;
  /** `undefined` where the kernel does not know, and when the connection is over. */
  peerCredentials(): PeerCredentials | undefined;
  /** Whether the other side has not said anything yet that opens the connection, not even what still waits to be read. */
  isSilent(): boolean;
  /** Whether the other side has hung up. What it said before may wait to be read. */
  hasLeft(): boolean;
  /** Whether something of the other side, its end included, waits to be read, or was read and is not handed over yet. */
  hasUnread(): boolean;
}

interface NativeListenerOptions {
  readonly poller: PollerKind;
  /** The name of a unix socket, which begins with a NUL if it is abstract; empty for TCP. */
  readonly name: string;
  /** A numeric IPv4 or IPv6 address, and a port, or 0 for a free one. */
  readonly ip: string;
  readonly port: number;
  /** Called with each connected socket, which the receiver owns. */
  readonly onAccept: (fd: number) => void;
  /** Nobody can be accepted for the moment, for want of descriptors or memory; another attempt follows. */
  readonly onError: (errno: number) => void;
}

/** A listening socket. It is the owner's business to remove the file of a unix socket. */
export interface NativeListener {
  /** Binds and listens. Returns 0 or a positive errno. */
  start(): number;
  /** The port of a TCP socket. */
  port(): number;
  close(): void;
  /** Whether the listener keeps the event loop alive. A new one does. */
  ref(): void;
  unref(): void;
  /** Accepts nobody any more until `resume`: who connects waits in the queue of the kernel. */
  pause(): void;
  resume(): void;
  /** Whether a client waits to be accepted. */
  hasWaiting(): boolean;
}

export interface Addon {
  /** {@link SEAM_VERSION}, of the sources that it was built from. */
  readonly seamVersion: number;
  readonly Connection: new (options: NativeConnectionOptions) => NativeConnection;
  readonly Listener: new (options: NativeListenerOptions) => NativeListener;
  /** The sd-bus library that was found (`libsystemd.so.0`, `libelogind.so.0`, `libbasu.so.0`), if any. */
  sdbusLibrary(): string | undefined;
  /** Duplicates a descriptor with close-on-exec; returns the new one or a negative errno. */
  duplicateFd(fd: number): number;
  /** Closes a descriptor; returns 0 or a negative errno. */
  closeFd(fd: number): number;
  /** Has a descriptor closed with this environment: a worker may be terminated at any time. `closeFd` forgets it. */
  keepFd(fd: number): void;
  releaseFd(fd: number): void;
  /** Who is at the other end of a connected socket; `undefined` where the kernel does not know. */
  peerCredentials(fd: number): PeerCredentials | undefined;
  /** Once, before anything else: the function by which the poller `thread` waits until the event loop has gone round. */
  useImmediate(setImmediate: (callback: () => void) => unknown): void;
  /** A rule of the protocol, by the number that a row has; empty for 0. */
  describeRule(rule: number): string;
}
