/**
 * What an interface offers, as data. A decorated class, `defineInterface()`, and introspection XML all become this one
 * form; services dispatch by it, proxies call by it, and the XML is generated from it.
 */

/** An argument of a method or signal. Names are free text: the specification does not constrain them. */
export interface ArgumentDescription {
  readonly name: string | undefined;
  /** One complete type. */
  readonly signature: string;
  /** Where the argument has any; they come from introspection data, and code generators leave them there. */
  readonly annotations?: Annotations;
}

/** Annotations by name, for instance `org.freedesktop.DBus.Deprecated` → `true`. */
export type Annotations = ReadonlyMap<string, string>;

export interface MethodDescription {
  readonly name: string;
  readonly in: readonly ArgumentDescription[];
  readonly out: readonly ArgumentDescription[];
  /** The concatenated signatures of `in` and of `out`. */
  readonly inSignature: string;
  readonly outSignature: string;
  /** Further annotations, besides those that the fields of this object stand for. */
  readonly annotations: Annotations;
  readonly deprecated: boolean;
  /** `org.freedesktop.DBus.Method.NoReply`: callers are not meant to wait for a reply. */
  readonly noReply: boolean;
}

export interface SignalDescription {
  readonly name: string;
  readonly args: readonly ArgumentDescription[];
  readonly signature: string;
  readonly annotations: Annotations;
  readonly deprecated: boolean;
}

export type Access = 'read' | 'write' | 'readwrite';

/**
 * What a change of the property tells the world (`org.freedesktop.DBus.Property.EmitsChangedSignal`): the new value,
 * only that it is no longer valid, nothing because it never changes, or nothing although it may.
 */
export type EmitsChanged = true | 'invalidates' | 'const' | false;

export interface PropertyDescription {
  readonly name: string;
  /** One complete type. */
  readonly signature: string;
  readonly access: Access;
  readonly emits: EmitsChanged;
  readonly annotations: Annotations;
  readonly deprecated: boolean;
}

export interface InterfaceDescription {
  readonly name: string;
  /** By name; a further method of the same name, with other arguments, by name and signature: `Get(su)`. */
  readonly methods: ReadonlyMap<string, MethodDescription>;
  readonly signals: ReadonlyMap<string, SignalDescription>;
  readonly properties: ReadonlyMap<string, PropertyDescription>;
  readonly annotations: Annotations;
}

/** A node of introspection data: the interfaces of an object and the names of its children. */
export interface NodeDescription {
  /** The absolute path that the root node carries, where it carries one. */
  readonly path: string | undefined;
  readonly interfaces: ReadonlyMap<string, InterfaceDescription>;
  /** Children by relative name; a child may be described in place. */
  readonly children: ReadonlyMap<string, NodeDescription>;
}
