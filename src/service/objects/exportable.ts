/**
 * The line between a definition and what exports it. A bus sees everything that can be exported as an
 * {@link Exportable}: it calls members by their D-Bus names. An exported thing sees each bus and path that it is
 * exported at as a `Place`, which its property store tells of signals and changed properties.
 *
 * Whoever makes an exportable object (the constructor of `ServiceInterface`, `implement`) registers its exportable
 * here; the object itself keeps its members to itself.
 */
import { types } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import type { InterfaceDescription } from '../../interface/description.js';
import type { CallContext } from '../calls/call-context.js';
import type { PropertyStore } from '../properties/property-store.js';

/** An interface and the object behind it, as a bus uses them. Members are addressed by their D-Bus names. */
export interface Exportable {
  readonly description: InterfaceDescription;
  /** The methods that get their arguments with their variants as `Variant`. */
  readonly wrapping: ReadonlySet<string>;
  /** Runs a method: returns its result, or a promise of it, or throws. */
  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown;
  /** The properties, and the places where the object is exported. */
  readonly properties: PropertyStore;
  /**
   * The object is about to be exported somewhere: what has to be known of its first values is found out.
   *
   * @param refuse is told of each value that does not fit, and of what could not be noticed. If left out, it is thrown:
   * {@link InvalidArgumentError}
   */
  prepare(refuse?: (error: unknown) => void): void;
  /** Whether something may come that {@link prepare} has not seen: it may have been called in a constructor. */
  readonly isUnsettled: boolean;
}

const exportables = new WeakMap<object, Exportable>();

/** What any copy of this package in the process can export: to tell another copy's object from what is none. */
const COPIES: unique symbol = Symbol.for('busbar.exportables');
const shared = globalThis as { [COPIES]?: WeakSet<object> };
shared[COPIES] ??= new WeakSet();
const ofAllCopies = shared[COPIES];

/** @internal */
export function registerExportable(object: object, exportable: Exportable): void {
  exportables.set(object, exportable);
  ofAllCopies.add(object);
}

/**
 * The exportable behind an instance of a service class, or behind the result of `implement`.
 *
 * @throws {@link InvalidArgumentError} if the value is neither
 */
export function exportableOf(value: object): Exportable {
  const exportable = typeof value === 'object' && value !== null ? exportables.get(value) : undefined;
  if (exportable !== undefined) return exportable;
  if (typeof value === 'object' && value !== null && ofAllCopies.has(value)) {
    throw new InvalidArgumentError(
      'this object was made by another copy of busbar than the bus: the process has loaded two, of which each exports its own ' +
        'objects only. Take both from one copy: `npm ls busbar` lists those that are installed, and a bundle has one of its own',
    );
  }
  const hint =
    typeof value === 'function'
      ? ' (this is a class: export an instance of it)'
      : types.isProxy(value)
        ? ' (this is a Proxy: export the object that it stands for)'
        : '';
  throw new InvalidArgumentError(
    `only an instance of a ServiceInterface class, or what implement() returns, can be exported${hint}`,
  );
}
