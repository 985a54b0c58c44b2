/**
 * The interface between objects and the buses that export them. A bus uses every object as an {@link Exportable}, whose
 * members have their D-Bus names. An object uses each bus and path where it is exported as a `Place`, to which it sends
 * signals and changed properties.
 *
 * The classes of objects that can be exported register here how the exportable of an object is found, so that the
 * object needs no public members for it, and no entry in a table.
 */
import { types } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import type { InterfaceDescription } from '../../interface/description.js';
import type { VariantChoice } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import type { MemberRules } from '../permits/member-rules.js';
import type { PropertyStore } from '../properties/property-store.js';

/** An interface and its object, as a bus uses them. Members have their D-Bus names. */
export interface Exportable {
  readonly description: InterfaceDescription;
  /** How methods get the variants in their arguments, for those that do not get plain values alone. */
  readonly readings: ReadonlyMap<string, VariantChoice>;
  /** Which callers may use its members, and in which order its handlers run; `undefined` if there are no such rules. */
  readonly rules: MemberRules | undefined;
  /** Runs a method. Returns its result, or a promise of it, or throws. */
  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown;
  /** The properties, and the places where the object is exported. */
  readonly properties: PropertyStore;
  /**
   * Called before the object is exported: checks its first values.
   *
   * @param refuse called for each value of the wrong type, and for members whose changes cannot be detected. If left
   * out, {@link InvalidArgumentError} is thrown
   */
  prepare(refuse?: (error: unknown) => void): void;
  /** Whether the object may get members that {@link prepare} has not seen, because that was called in a constructor. */
  readonly isUnsettled: boolean;
}

/** Classes of exportable objects, and how the exportable of an instance is found. */
const classes: { readonly prototype: object; readonly find: (object: object) => Exportable | undefined }[] = [];

/** Marks the prototypes of exportable objects in all copies of this package, to recognise an object of another copy. */
const EXPORTABLE: unique symbol = Symbol.for('busbar.exportable');
/** The mark of this copy. */
const thisCopy = {};

/**
 * @internal
 * @param find returns `undefined` for an object that is not an instance, although it inherits from the prototype
 */
export function registerExportables(prototype: object, find: (object: object) => Exportable | undefined): void {
  classes.push({ prototype, find });
  Object.defineProperty(prototype, EXPORTABLE, { value: thisCopy });
}

function findExportable(object: object): Exportable | undefined {
  for (const { prototype, find } of classes) {
    const exportable = Object.prototype.isPrototypeOf.call(prototype, object) ? find(object) : undefined;
    if (exportable !== undefined) return exportable;
  }
  return undefined;
}

/**
 * Returns the exportable of an instance of a service class, or of a result of `implement`.
 *
 * @throws {@link InvalidArgumentError} if the value is neither
 */
export function exportableOf(value: object): Exportable {
  const exportable = typeof value === 'object' && value !== null ? findExportable(value) : undefined;
  if (exportable !== undefined) return exportable;
  if (typeof value === 'object' && value !== null && isOfOtherCopy(value)) {
    throw new InvalidArgumentError(
      'this object and the bus belong to two copies of busbar in this process, and each copy exports only its own objects. ' +
        'Import both from one copy: `npm ls busbar` lists the installed copies, and a bundle contains one of its own',
    );
  }
  const hint =
    typeof value === 'function'
      ? ' (this is a class: export an instance of it)'
      : types.isProxy(value)
        ? ' (this is a Proxy: export the object that it stands for)'
        : '';
  throw new InvalidArgumentError(
    `only an instance of a ServiceInterface class, or the result of implement(), can be exported${hint}`,
  );
}

/** Whether the object is of a class that another copy of this package registered. */
function isOfOtherCopy(object: object): boolean {
  if (types.isProxy(object)) return false;
  const mark = (object as { readonly [EXPORTABLE]?: unknown })[EXPORTABLE];
  return mark !== undefined && mark !== thisCopy;
}
