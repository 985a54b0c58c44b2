/**
 * The description of an interface as data. A decorated class, `defineInterface()` and introspection XML all become this
 * form. Services dispatch with it, proxies make calls with it, and introspection XML is generated from it.
 */

import type { Shape, Shapes } from '../signature/shape.js';

/** An argument of a method or signal. Names are free text: the specification does not restrict them. */
export interface ArgumentDescription {
  /** `undefined` for an argument without a name. */
  readonly name: string | undefined;
  /** One complete type. */
  readonly signature: string;
  /** The keys of its dictionaries, if `dict()` describes them. */
  readonly shape?: Shape;
  /** What the argument means, if that is documented (`org.gtk.GDBus.DocString`). */
  readonly docs?: string;
  /** Further annotations of the argument, if it has any. They come from introspection data, where code generators add them. */
  readonly annotations?: Annotations;
}

/** Annotations by name, for instance `org.freedesktop.DBus.Deprecated` → `true`. */
export type Annotations = ReadonlyMap<string, string>;

/** The interface of an object whose path a method returns: the result of `defineInterface()`. */
export interface ReturnedInterface {
  /** The members as the definition has them. */
  readonly members: object;
  /** The description that proxies of the object use. */
  readonly description: InterfaceDescription;
}

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
  /** The shapes of `in`, if one of them has a shape. */
  readonly inShapes?: Shapes;
  /** The shapes of `out`, if one of them has a shape. */
  readonly outShapes?: Shapes;
  /** The interfaces of the objects whose paths are in `out`, if the definition names them: one for each result. */
  readonly returns?: readonly (ReturnedInterface | undefined)[];
  /** Annotations that have no field of their own in this object. */
  readonly annotations: Annotations;
  /** What the member means, if that is documented (`org.gtk.GDBus.DocString`). */
  readonly docs?: string;
  /** `org.freedesktop.DBus.Deprecated`: clients should no longer use the member. */
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
  /** The shapes of `args`, if one of them has a shape. */
  readonly shapes?: Shapes;
  /** Annotations that have no field of their own in this object. */
  readonly annotations: Annotations;
  /** What the member means, if that is documented (`org.gtk.GDBus.DocString`). */
  readonly docs?: string;
  /** `org.freedesktop.DBus.Deprecated`: clients should no longer use the member. */
  readonly deprecated: boolean;
}

/** How clients may access a property. */
export type Access = 'read' | 'write' | 'readwrite';

/**
 * The announcement of a change of the property (`org.freedesktop.DBus.Property.EmitsChangedSignal`): the new value (`true`),
 * only that the value is no longer valid (`invalidates`), nothing because it never changes (`const`), or nothing
 * although it may change (`false`).
 */
export type EmitsChanged = true | 'invalidates' | 'const' | false;

/** A property of an interface. */
export interface PropertyDescription {
  /** The D-Bus name. It is free text, so that dashes are allowed, for instance. */
  readonly name: string;
  /** One complete type. */
  readonly signature: string;
  /** The keys of its dictionaries, if `dict()` describes them. */
  readonly shape?: Shape;
  /** How clients may access it. */
  readonly access: Access;
  /** The announcement of a change. */
  readonly emits: EmitsChanged;
  /** Annotations that have no field of their own in this object. */
  readonly annotations: Annotations;
  /** What the member means, if that is documented (`org.gtk.GDBus.DocString`). */
  readonly docs?: string;
  /** `org.freedesktop.DBus.Deprecated`: clients should no longer use the member. */
  readonly deprecated: boolean;
}

/** An interface: its members by their D-Bus names. */
export interface InterfaceDescription {
  /** The D-Bus interface name. */
  readonly name: string;
  /** By name. A further method of the same name with other arguments has its name and signature as key: `Get(su)`. */
  readonly methods: ReadonlyMap<string, MethodDescription>;
  /** By name. */
  readonly signals: ReadonlyMap<string, SignalDescription>;
  /** By name. */
  readonly properties: ReadonlyMap<string, PropertyDescription>;
  /** What the interface is for, if that is documented (`org.gtk.GDBus.DocString`). */
  readonly docs?: string;
  /** Annotations of the interface itself that have no field of their own in this object. */
  readonly annotations: Annotations;
}

/** A node of introspection data: the interfaces of an object and the names of its children. */
export interface NodeDescription {
  /** The absolute path of the root node, if it has one. */
  readonly path: string | undefined;
  /** By name. */
  readonly interfaces: ReadonlyMap<string, InterfaceDescription>;
  /** Children by relative name. A child may have its description in place. */
  readonly children: ReadonlyMap<string, NodeDescription>;
}
