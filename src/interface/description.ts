/**
 * What an interface offers, as data. A decorated class, `defineInterface()`, and introspection XML all become this one
 * form; services dispatch by it, proxies call by it, and the XML is generated from it.
 */

/** An argument of a method or signal. Names are free text: the specification does not constrain them. */
export interface ArgumentDescription {
  /** `undefined` for an argument without a name. */
  readonly name: string | undefined;
  /** One complete type. */
  readonly signature: string;
  /** Where the argument has any; they come from introspection data, and code generators leave them there. */
  readonly annotations?: Annotations;
}

/** Annotations by name, for instance `org.freedesktop.DBus.Deprecated` → `true`. */
export type Annotations = ReadonlyMap<string, string>;

/** A method of an interface. */
export interface MethodDescription {
  /** The D-Bus name. */
  readonly name: string;
  /** The arguments. */
  readonly in: readonly ArgumentDescription[];
  /** The values of the reply. */
  readonly out: readonly ArgumentDescription[];
  /** The concatenated signatures of `in`. */
  readonly inSignature: string;
  /** The concatenated signatures of `out`. */
  readonly outSignature: string;
  /** Further annotations, besides those that the fields of this object stand for. */
  readonly annotations: Annotations;
  /** `org.freedesktop.DBus.Deprecated`: it should not be used any more. */
  readonly deprecated: boolean;
  /** `org.freedesktop.DBus.Method.NoReply`: callers are not meant to wait for a reply. */
  readonly noReply: boolean;
}

/** A signal of an interface. */
export interface SignalDescription {
  /** The D-Bus name. */
  readonly name: string;
  /** The arguments. */
  readonly args: readonly ArgumentDescription[];
  /** The concatenated signatures of `args`. */
  readonly signature: string;
  /** Further annotations, besides those that the fields of this object stand for. */
  readonly annotations: Annotations;
  /** `org.freedesktop.DBus.Deprecated`: it should not be used any more. */
  readonly deprecated: boolean;
}

/** What others may do with a property. */
export type Access = 'read' | 'write' | 'readwrite';

/**
 * What a change of the property tells the world (`org.freedesktop.DBus.Property.EmitsChangedSignal`): the new value,
 * only that it is no longer valid, nothing because it never changes, or nothing although it may.
 */
export type EmitsChanged = true | 'invalidates' | 'const' | false;

/** A property of an interface. */
export interface PropertyDescription {
  /** The D-Bus name. It is free text: dashes are allowed, for instance. */
  readonly name: string;
  /** One complete type. */
  readonly signature: string;
  /** What others may do. */
  readonly access: Access;
  /** What a change tells the world. */
  readonly emits: EmitsChanged;
  /** Further annotations, besides those that the fields of this object stand for. */
  readonly annotations: Annotations;
  /** `org.freedesktop.DBus.Deprecated`: it should not be used any more. */
  readonly deprecated: boolean;
}

/** An interface: its members by their D-Bus names. */
export interface InterfaceDescription {
  /** The D-Bus interface name. */
  readonly name: string;
  /** By name; a further method of the same name, with other arguments, by name and signature: `Get(su)`. */
  readonly methods: ReadonlyMap<string, MethodDescription>;
  /** By name. */
  readonly signals: ReadonlyMap<string, SignalDescription>;
  /** By name. */
  readonly properties: ReadonlyMap<string, PropertyDescription>;
  /** Annotations of the interface itself. */
  readonly annotations: Annotations;
}

/** A node of introspection data: the interfaces of an object and the names of its children. */
export interface NodeDescription {
  /** The absolute path that the root node carries, where it carries one. */
  readonly path: string | undefined;
  /** By name. */
  readonly interfaces: ReadonlyMap<string, InterfaceDescription>;
  /** Children by relative name; a child may be described in place. */
  readonly children: ReadonlyMap<string, NodeDescription>;
}
