/**
 * The functions that a library needs to take part: its file exports `peerOf`, which does everything as the library's own
 * documentation shows first. The workloads that use it are in `client.mjs`, the same for all libraries.
 */

export type PeerOf = (library: Library) => { readonly connect: Connect; readonly listen?: Listen };

// biome-ignore lint/suspicious/noExplicitAny: libraries of others, as they are
type Library = any;

export type Connect = (address: string, parameters: URLSearchParams) => Promise<Peer>;

/** If the library supports peers: listens at an address, and exports `Echo` to every client. */
export type Listen = (address: string, usage: () => number, parameters: URLSearchParams) => Promise<void>;

export interface Peer {
  /** A function that calls `Echo` of the object at a path. */
  echo(destination: string | undefined, path: string): Promise<(text: string) => Promise<unknown>>;
  /** A function that calls `EchoBytes` of the object at a path. For busbar only. */
  echoBytes?(destination: string, path: string): Promise<(bytes: Uint8Array) => Promise<Uint8Array>>;
  /** Collects the PropertiesChanged of a path in a queue, and calls a function at `Done`. For busbar only. */
  watcher?(
    destination: string,
    path: string,
    limit: number,
    onDone: () => void,
  ): Promise<{ next(): Promise<unknown>; end(): void }>;
  /** A function that subscribes to the PropertiesChanged of a path, and returns one that ends that. For busbar only. */
  subscriber?(destination: string, path: string): Promise<() => () => void>;
  /** A function that calls `GetManagedObjects` of the object at `/`, and returns the number of objects. */
  managedObjects(destination: string): Promise<() => Promise<number>>;
  /** A live view of the service's objects, when it is ready. For busbar only. */
  view?(destination: string): Promise<View>;
  /** Calls a method of the bench's object that returns nothing; it need not wait for the reply. */
  send(destination: string, member: 'Emit' | 'Hold', signature: string, value: unknown): void;
  /** Resolves when everything that was sent before has arrived at the bus. */
  ping(): Promise<unknown>;
  /** Resolves when the subscription to the bench's `Done` is in effect. */
  onDone(destination: string, listener: () => void): Promise<void>;
  /**
   * Resolves when the subscription to PropertiesChanged of a path is in effect; the listener gets the decoded arguments.
   */
  onPropertiesChanged(
    destination: string,
    path: string,
    listener: (name: string, changed: object) => void,
  ): Promise<void>;
  /** Adds a match rule at the bus, without a listener. */
  addMatch(rule: string): Promise<unknown>;
  /** A function that emits the signal `Changed`, in the shape of PropertiesChanged. */
  emitter(): Promise<(rssi: number) => void>;
  /** A function that emits PropertiesChanged of one property, without an object that has it. For busbar only. */
  announcer?(): Promise<(level: number) => void>;
  /** A function that assigns a property of an exported object, which emits the same. For busbar only. */
  assigner?(): Promise<(level: number) => void>;
  /** Owns a name, and exports `Echo` and `Usage` at these paths. */
  serve(name: string, paths: readonly string[], usage: () => number): Promise<void>;
}

export interface View {
  readonly size: number;
  /** Calls a function for each change of a device, with its RSSI. */
  watch(changed: (rssi: number | undefined) => void): void;
  /** Reads the values of all devices, and returns how many have some. */
  read(): number;
  end(): void;
}

/**
 * Access to a library's codec, if its package gives any. Everything that can be prepared once (a parsed signature, the
 * memory that is written to) is prepared as the library does it for its own messages.
 */
export type CodecOf = (library: Library, folder: string) => Codec;

export interface Codec {
  /** A variant, as the library expects it. */
  variant(signature: string, value: unknown): unknown;
  /** A dictionary by string. */
  dictionary(entries: readonly (readonly [string, unknown])[]): unknown;
  /** A function that marshals a body once. */
  encoder?(signature: string, values: readonly unknown[]): () => unknown;
  /** A function that marshals a whole method call once. */
  callEncoder?(head: CallHead, values: readonly unknown[]): () => unknown;
  /** A function that unmarshals a body once, into the values that users get. */
  decoder?(signature: string, bytes: Uint8Array): () => unknown;
}

export interface CallHead {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature: string;
}
