/**
 * The line between a definition and what exports it. A bus sees everything that can be exported as an
 * {@link Exportable}: it calls members by their D-Bus names. An exported thing sees each bus and path that it is
 * exported at as an {@link Outlet}, which it tells of signals and changed properties.
 *
 * Whoever makes an exportable object (the constructor of `ServiceInterface`, `implement`) registers its exportable
 * here; the object itself keeps its members to itself.
 */
import { InvalidArgumentError } from '../errors.js';
import type { InterfaceDescription } from '../introspection/description.js';
import type { CallContext } from './call-context.js';
import type { Implementation } from './implement.js';
import type { ServiceInterface } from './service-interface.js';

/** What `bus.export` takes: an instance of a class that extends `ServiceInterface`, or the result of `implement`. */
export type ExportedObject = ServiceInterface | Implementation;

/** Stands for the value of a property of which others only learn that it changed. */
export const invalidated: unique symbol = Symbol('busbar.invalidated');

/** One place where something is exported: a path on a bus. */
export interface Outlet {
  /**
   * Sends a signal. The values are those of its arguments, one each.
   *
   * @throws {@link InvalidArgumentError} if they do not fit the signal's signature
   */
  emitSignal(name: string, values: readonly unknown[]): void;
  /** Sends one PropertiesChanged. A value may still misfit its signature: it is left out then, and reported. */
  propertiesChanged(changes: ReadonlyMap<string, unknown | typeof invalidated>): void;
}

/** An interface and the object behind it, as a bus uses them. Members are addressed by their D-Bus names. */
export interface Exportable {
  readonly description: InterfaceDescription;
  /** The methods that get their arguments with their variants as `Variant`. */
  readonly wrapping: ReadonlySet<string>;
  /** Runs a method: returns its result, or a promise of it, or throws. */
  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown;
  /** The value of a property as it is to be sent, or a promise of it. Access is the caller's business. */
  getProperty(name: string): unknown;
  /**
   * Sets a property; a promise tells when that is done, if it takes time. The change is sent by the same way as any.
   *
   * @param received the value, with its variants as `Variant`
   */
  setProperty(name: string, received: unknown): unknown;
  /** How many changes of a property were noted so far: a value that was read before the last one is old. */
  changesOf(name: string): number;
  /** Sends the property changes that wait for the end of the turn. */
  flush(): void;
  /** Signals and property changes go to this outlet too, until the returned function is called. */
  attach(outlet: Outlet): () => void;
}

const exportables = new WeakMap<object, Exportable>();

/** @internal */
export function registerExportable(object: object, exportable: Exportable): void {
  exportables.set(object, exportable);
}

/**
 * The exportable behind an instance of a service class, or behind the result of `implement`.
 *
 * @throws {@link InvalidArgumentError} if the value is neither
 */
export function exportableOf(value: ExportedObject): Exportable {
  const exportable = typeof value === 'object' && value !== null ? exportables.get(value) : undefined;
  if (exportable !== undefined) return exportable;
  const hint = typeof value === 'function' ? ' (this is a class: export an instance of it)' : '';
  throw new InvalidArgumentError(
    `only an instance of a ServiceInterface class, or what implement() returns, can be exported${hint}`,
  );
}
