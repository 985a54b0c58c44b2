/**
 * The seam: the interface between TypeScript and the addon, typed in one place.
 *
 * Bytes cross it in batches. Incoming messages arrive in an *inbox* arena that TypeScript allocates and lends to the
 * addon; a row of integers in `rows` describes each message. TypeScript writes outgoing messages into an arena of its
 * own and passes them on with `send`. Only this file names members of the addon; `load.ts` loads it.
 *
 * Every multi-byte number on either side of the seam is little-endian, whatever byte order the peer used.
 */

/** The column of an inbox row. A row is {@link ROW_LENGTH} consecutive 32-bit integers of `InboxMemory.rows`. */
export const Column = {
  /**
   * Message type: 1 method call, 2 method return, 3 error, 4 signal. Unknown types never cross the seam. The code that
   * takes the row may set it to 0. If `onBatch` throws, the addon goes on with the next row that is not marked in this
   * way, and closes the descriptors of unmarked rows that no code takes any more.
   */
  Type: 0,
  /** Header flags as on the wire. */
  Flags: 1,
  Serial: 2,
  /** 0 if the message has no REPLY_SERIAL. */
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
  /** Byte offset of the body in the inbox, always a multiple of 8 (or in the large body, see `onBatch`). */
  BodyOffset: 11,
  BodyLength: 12,
  /** Index of the first of the message's descriptors in `InboxMemory.fds`. The receiver of the batch owns them. */
  FdOffset: 13,
  FdCount: 14,
  /**
   * 0 for a valid message; else a {@link Fault} in the lowest 8 bits, and above them the number of the rule that the
   * message breaks, for `describeRule`, or 0. The body of a faulty message is not delivered: offset and length are 0.
   */
  Fault: 15,
} as const;

export const ROW_LENGTH = 16;

/**
 * The version of the seam. The addon has the same number (`kSeamVersion` in native/seam_version.h). Raise both with
 * every change of what crosses the seam or of the layout of the memory.
 */
export const SEAM_VERSION = 7;

/** Why a message was refused. Its end is known nevertheless, so the fault affects only this message. */
export const Fault = {
  None: 0,
  /** The bytes do not match the signature: length, padding, boolean, string, path, signature, nesting, or fd index. */
  InvalidBody: 1,
  /**
   * sd-bus refuses a string. It does not tell the reason: the string is invalid, or contains a Unicode noncharacter,
   * which is valid.
   */
  UnsupportedBody: 2,
  /** The body could not be stored: out of memory. */
  OutOfMemory: 3,
  /** The message is larger than `limits.messageSize`. */
  MessageSize: 4,
  /** The values would take more memory than `limits.decodedSize`. */
  DecodedSize: 5,
  /**
   * The header breaks a rule. The row has the fields that could be read. The flag NO_REPLY_EXPECTED is set if they do
   * not tell which caller to answer, or whether to answer.
   */
  InvalidHeader: 6,
} as const;

/** The {@link Fault} in a row's column. */
export const faultOf = (column: number): number => column & 0xff;
/** The broken rule in a row's column, for `describeRule`. */
export const ruleOf = (column: number): number => column >>> 8;

/**
 * Memory for one batch of messages, that `useBatchMemory` makes. The addon writes into it, and never reads it. It lends
 * the memory to a connection that has something to read, until the connection has taken all rows of the batch.
 */
export interface InboxMemory {
  /** The bodies of a batch, each on an 8-byte boundary, and the bytes of its new strings. */
  readonly arena: ArrayBuffer;
  readonly rows: Int32Array;
  /**
   * Header strings cross the seam once, and later messages refer to them by id. A new string has three integers: id,
   * byte offset in the arena, byte length (UTF-8). Its entry comes in the batch that first uses the id. The addon may
   * reuse the id of a string in a later batch, and then announces it again. A string that is too long for the arena is
   * in the large body of the batch; its offset is then `~offset`, which is negative.
   */
  readonly strings: Int32Array;
  /** Descriptors received with the messages of a batch. */
  readonly fds: Int32Array;
}

interface NativeConnectionOptions {
  /**
   * The limits of one received message. A message that exceeds one has the corresponding {@link Fault}. Numbers above
   * 0.
   */
  readonly limits: { readonly messageSize: number; readonly decodedSize: number };
  /**
   * One D-Bus server address (not a list with `;`), for sd-bus; ignored if there is a `target`, or something to `serve` or
   * to `adopt`.
   */
  readonly address: string;
  /**
   * The socket that the transport `socket` connects to and authenticates with by itself. The transport `sd-bus` has
   * none.
   */
  readonly target?: SocketTarget | undefined;
  /** An accepted client: this connection is the server's end. */
  readonly serve?: ServedSocket | undefined;
  /** A connected socket that the program passes, with the part that this end has. Only for the transport `socket`. */
  readonly adopt?: AdoptedSocket | undefined;
  /** As a client: authenticate anonymously. As a server: accept anonymous clients. */
  readonly anonymous?: boolean | undefined;
  readonly transport: TransportKind;
  readonly poller: PollerKind;
  /**
   * Two integers. During a turn of the connection, the first is its {@link NativeConnection.number}, and the second says
   * whether it keeps the event loop alive (1 or 0). What JavaScript writes there takes effect when the turn ends.
   */
  readonly turn?: Int32Array | undefined;
  /** Called once, when the transport is authenticated and messages can be sent. */
  readonly onOpen: (canSendFds: boolean) => void;
  /**
   * Called with messages `from` to `count - 1` of the batch in `memory.rows`; returns the row to go on with. The memory
   * is the same for all calls of a batch. A return value
   * below `count` asks the addon to leave the callback scope (so that microtasks run) and to call again from that row.
   * `newStrings` entries of `strings` are valid in the first call of a batch; in the other calls it is 0. A body that
   * is too large for the arena comes alone in its batch, in `large`: that memory may be longer than the body, and may
   * be reused for the next one. `milliseconds` is the time left of the turn. When it has passed, return a value below
   * `count`: the remaining rows then come in the next turn.
   */
  readonly onBatch: (
    memory: InboxMemory,
    from: number,
    count: number,
    newStrings: number,
    large: ArrayBuffer | undefined,
    milliseconds: number,
  ) => number;
  /**
   * Called when everything that had to be queued natively was written. While reading is paused, it is also called when
   * at most the number of bytes passed to `pause` are queued, and when the other side `hungUp`, after which reading is
   * no longer paused.
   */
  readonly onDrain: (hungUp: boolean) => void;
  /**
   * A message that sd-bus refused, with its errno. Called from within `send`. If it is a reply, `replySerial` and
   * `destination` tell which call it answers; else they are 0 and empty.
   */
  readonly onRefused: (serial: number, errno: number, replySerial: number, destination: string) => void;
  /**
   * Called exactly once, last, after `start` succeeded. `errno` is 0 if `close` was called, else the reason. `phase`
   * tells how far the connection got. `detail` describes what was wrong with the bytes of the other side, or where in
   * the handshake it hung up, if that was the reason; otherwise it is empty. If a server refused this client in the
   * handshake (`EACCES` in the phase `authenticate`), it is the list of mechanisms that the server accepts.
   */
  readonly onClose: (errno: number, phase: ConnectionPhase, detail: string) => void;
}

/** The address that a client's socket connects to. */
export interface SocketTarget {
  /** The name of a unix socket, which begins with a NUL if it is abstract; empty for TCP. */
  readonly name: string;
  /** A numeric IPv4 or IPv6 address, and a port. */
  readonly ip: string;
  readonly port: number;
  /** The guid that the server must announce: 16 bytes; any guid if left out. */
  readonly guid?: Uint8Array | undefined;
  /**
   * Whether the target is a bus. To a bus, the client first authenticates without a user id, by the kernel's
   * credentials, which works where user ids differ, and sends one line at a time. To a peer, it sends its user id
   * first.
   */
  readonly isBus?: boolean | undefined;
}

export interface ServedSocket {
  /** The connected socket. The connection owns it as soon as it is constructed, even if the constructor throws. */
  readonly fd: number;
  /** The guid that the server announces: 16 bytes. */
  readonly guid: Uint8Array;
}

/** The part of one end in the handshake that precedes all messages; `none` if both ends leave it out. */
export type HandshakeRole = 'client' | 'server' | 'none';

export interface AdoptedSocket {
  /** The connected socket. The connection owns it as soon as it is constructed, even if the constructor throws. */
  readonly fd: number;
  readonly role: HandshakeRole;
  /** As a server: the guid that it announces. As a client: the guid that the server must announce. */
  readonly guid?: Uint8Array | undefined;
  /** Whether the other side is a bus: see {@link SocketTarget.isBus}. */
  readonly isBus?: boolean | undefined;
}

/** What kind of socket a descriptor is, and the local name or address of it. */
interface SocketDescription {
  readonly family: 'unix' | 'ipv4' | 'ipv6' | 'other';
  readonly isStream: boolean;
  readonly isListening: boolean;
  readonly isConnected: boolean;
  /** The name of a unix socket, which begins with a NUL if it is abstract; empty if it has none. */
  readonly name: string;
  /** Empty for a unix socket. */
  readonly ip: string;
  readonly port: number;
}

/**
 * The kernel's credentials of the process at the other end of a unix socket: the one that connected, or the one that
 * listened.
 */
export interface PeerCredentials {
  readonly uid: number;
  /** 0 for a process that is not visible from this PID namespace. */
  readonly pid: number;
  /** The primary group first. */
  readonly gids: readonly number[];
  /** Empty without a security module. */
  readonly securityLabel: string;
}

/** What reads and writes messages: busbar itself (`socket`), or the sd-bus library (`sd-bus`). */
export type TransportKind = 'sd-bus' | 'socket';
/** What waits for bytes: the event loop of libuv (`uv`), or a thread (`thread`), for runtimes without libuv. */
export type PollerKind = 'uv' | 'thread';
/** The phases of opening a connection: `connect` to the socket, `authenticate`, and `open`. */
export type ConnectionPhase = 'connect' | 'authenticate' | 'open';

/** One connection. Only the thread of the environment that made it may call its methods. */
export interface NativeConnection {
  /** Begins to connect. Returns 0, or a positive errno if that failed immediately (then `onClose` is not called). */
  start(): number;
  /**
   * Sends the messages in `bytes[0..end)`. Each begins on an 8-byte boundary, so there may be a gap of up to 7 bytes
   * between them. With `fds`, there is only one message, and they are its descriptors. They are duplicated: the caller
   * keeps its own. The memory may be reused when this returns. Returns the number of bytes that the addon still has to
   * write; 0 means that the kernel has everything.
   */
  send(bytes: Uint8Array, end: number, fds: Int32Array | undefined): number;
  /** The number of the connection for {@link LentOutbox.send} and `turn`: 0 until it has started, and after its end. */
  number(): number;
  /**
   * Writes what is queued and waits until the other side has read it, blocking for at most `milliseconds`; for a process
   * that is about to exit. Returns whether it has. Over TCP, the kernel knows only what has arrived.
   */
  flush(milliseconds: number): boolean;
  /**
   * Tells the other side that nothing more will be sent, if it may not have read everything, or `always`. It finds that
   * out behind the last message. Returns whether it was told: then the connection ends when the other side has read
   * everything and closes its end. Resumes reading.
   */
  endSending(always: boolean): boolean;
  /** Closes immediately and calls `onClose` before it returns. Idempotent. */
  close(): void;
  /** Whether the connection keeps the event loop alive. A new connection does. */
  ref(): void;
  unref(): void;
  /**
   * Stops reading, and delivers no further row, until `resume` is called or the other side hangs up. Queued bytes are
   * still written: `onDrain` is called when at most `until` bytes are queued. With a negative `until` it is never
   * called: the server has not taken the connection yet, and its end is reported only if the other side has left
   * nothing to read.
   */
  pause(until: number): void;
  resume(): void;
  /** `undefined` if the kernel does not know them, and after the end of the connection. */
  peerCredentials(): PeerCredentials | undefined;
  /**
   * Whether the other side has not sent anything yet that opens the connection, including bytes that are not read yet.
   */
  isSilent(): boolean;
  /** Whether the other side has hung up. What it sent before may still have to be read. */
  hasLeft(): boolean;
  /** Whether bytes of the other side, or its end, are not read yet, or were read and not delivered yet. */
  hasUnread(): boolean;
}

export interface NativeListenerOptions {
  readonly poller: PollerKind;
  /** The name of a unix socket, which begins with a NUL if it is abstract; empty for TCP. */
  readonly name: string;
  /** A numeric IPv4 or IPv6 address, and a port, or 0 for a free one. */
  readonly ip: string;
  readonly port: number;
  /** A socket that listens already, which the listener owns. Then the name and the address are ignored. */
  readonly adopt?: number | undefined;
  /** Called with each connected socket, which the receiver owns. */
  readonly onAccept: (fd: number) => void;
  /** Called when no client can be accepted for lack of descriptors or memory. Another attempt follows. */
  readonly onError: (errno: number) => void;
}

/** A listening socket. Its owner has to remove the file of a unix socket. */
export interface NativeListener {
  /** Binds and listens. Returns 0 or a positive errno. */
  start(): number;
  /** The port of a TCP socket. */
  port(): number;
  close(): void;
  /** Whether the listener keeps the event loop alive. A new one does. */
  ref(): void;
  unref(): void;
  /** Stops accepting until `resume`: clients that connect wait in the queue of the kernel. */
  pause(): void;
  resume(): void;
  /** Whether a client waits to be accepted. */
  hasWaiting(): boolean;
}

/** Memory of outgoing messages that is lent to the addon, so that sending passes integers only. */
export interface LentOutbox {
  /** Lends memory, in place of what was lent before. */
  lend(bytes: Uint8Array): void;
  /**
   * As {@link NativeConnection.send}, for bytes of the lent memory and the connection with this number. Returns
   * `undefined` for 0, and if the connection has ended.
   */
  send(connection: number, end: number): number | undefined;
}

export interface Addon {
  /** The {@link SEAM_VERSION} of the sources that the addon was built from. */
  readonly seamVersion: number;
  readonly Connection: new (options: NativeConnectionOptions) => NativeConnection;
  readonly Listener: new (options: NativeListenerOptions) => NativeListener;
  /** The sd-bus library that was found (`libsystemd.so.0`, `libelogind.so.0`, `libbasu.so.0`), if any. */
  sdbusLibrary(): string | undefined;
  /** Duplicates a descriptor with close-on-exec; returns the new one or a negative errno. */
  duplicateFd(fd: number): number;
  /** Closes a descriptor; returns 0 or a negative errno. */
  closeFd(fd: number): number;
  /**
   * Registers a descriptor to be closed with this environment: a worker may be terminated at any time. `closeFd`
   * unregisters it.
   */
  keepFd(fd: number): void;
  releaseFd(fd: number): void;
  /**
   * The credentials of the process at the other end of a connected socket; `undefined` if the kernel does not know
   * them.
   */
  peerCredentials(fd: number): PeerCredentials | undefined;
  /** Tells what kind of socket a descriptor is; a negative errno if it is none. */
  describeSocket(fd: number): SocketDescription | number;
  /** Makes two connected unix sockets, which the caller owns; a negative errno if there are too many. */
  socketPair(): readonly [number, number] | number;
  /** Makes a pipe with close-on-exec: the end to read from and the end to write to, or a negative errno. */
  makePipe(): readonly [number, number] | number;
  /**
   * Sends a text as one datagram to a unix socket, without waiting: 0, or a negative errno, which is EAGAIN if the queue of
   * the receiver is full. A name that begins with a NUL is abstract.
   */
  notify(name: string, text: string): number;
  /**
   * Called once, before anything else, with the function by which the poller `thread` waits for the next iteration of
   * the event loop.
   */
  useImmediate(setImmediate: (callback: () => void) => unknown): void;
  /**
   * Names the function that makes memory for batches. It is called when all memory that it made is lent. Called before
   * the first connection opens.
   */
  useBatchMemory(make: () => InboxMemory): void;
  /** Makes an outbox for this copy of the library. */
  makeOutbox(): LentOutbox;
  /** The text of a protocol rule, by its number in a row; empty for 0. */
  describeRule(rule: number): string;
}
