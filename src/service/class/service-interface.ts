/**
 * The base of decorated service classes. It has next to no members of its own, so that an interface can have nearly any:
 * what makes an instance exportable is its service object, which the constructor makes.
 */
import { inspect } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import { nameSuccessors } from '../../base/successors.js';
import { classDescription, interfaceOptions, type ServiceInterfaceOptions } from './class-description.js';
import { answerProbe, type NamedClass, staticOptions } from './interface-name.js';
import { ServiceObject, serviceBrand } from './service-object.js';

/** A class that extends {@link ServiceInterface}; its constructor may be private. */
export interface ServiceInterfaceClass<T extends ServiceInterface = ServiceInterface> extends NamedClass {
  /** What its instances are. */
  readonly prototype: T;
}

/** The key of the phantom property that tells whether clients share a class; nothing has it at run time. */
declare const sharedBy: unique symbol;

/** Whether clients make proxies of a class, or services alone use it. */
export type ServiceUse = 'shared' | 'service-only';

/** Whether a class says that no client shares it. */
export type IsServiceOnly<T> = T extends { readonly [sharedBy]?: infer Use }
  ? [Use] extends ['service-only' | undefined]
    ? true
    : false
  : false;

/**
 * A D-Bus interface as a class: extend it, name the interface in `super('…')`, and decorate what others may use with
 * `@method`, `@property` and `@signal`. Export instances with `bus.export(path, instance)`, at as many paths and buses
 * as you like; hand the class itself to `bus.proxy` to talk to one. Subclasses inherit decorated members and may
 * override them, decorated anew or not.
 *
 * Proxies of a class have the types of its members, so the decorators refuse members whose types promise a client what it
 * does not read. `extends ServiceInterface<'service-only'>` says that no client makes a proxy of the class: then its
 * members may be of any type that fits their signatures, and `bus.proxy` does not take the class.
 *
 * @example
 * ```ts
 * class TestModule extends ServiceInterface {
 *   constructor() { super('org.example.dbustest.Module'); }
 *
 *   @method({ in: ['kind:s'], out: ['result:s'] })
 *   async TestMethod(kind: string): Promise<string> { return 'Success'; }
 * }
 * ```
 */
export abstract class ServiceInterface<Use extends ServiceUse = ServiceUse> {
  /** Never there: it only tells the compiler what the class is for. */
  declare readonly [sharedBy]?: Use;

  /** The interface's name, for classes that do not give it in their constructor or need arguments there. */
  static readonly interfaceName?: string | undefined;

  readonly #object: ServiceObject;

  /**
   * @param interfaceName the D-Bus interface name, alone or with options; the static `interfaceName` if left out
   * @throws {@link InvalidArgumentError} for an invalid name, or if two members have the same name on D-Bus
   */
  constructor(interfaceName?: string | ServiceInterfaceOptions) {
    const options =
      (typeof interfaceName === 'string' ? { name: interfaceName } : interfaceName) ?? staticOptions(new.target);
    if (options !== undefined && (typeof options !== 'object' || options === null)) {
      throw new InvalidArgumentError(
        `super(…) takes the interface's name, or an object with it, not ${typeof options}`,
      );
    }
    if (options === undefined) {
      throw new InvalidArgumentError(`${new.target.name} has no interface name: pass it to super('…')`);
    }
    interfaceOptions.checkKeys(options);
    answerProbe(new.target, options);
    this.#object = new ServiceObject(this, classDescription(new.target.prototype, options));
  }

  static {
    // Not a member of the type, which proxies of a class are made of. A Proxy of an instance, or a prototype, is shown as it is.
    const show = function (this: ServiceInterface): object {
      return #object in this ? this.#object.view : this;
    };
    Object.defineProperty(ServiceInterface.prototype, inspect.custom, {
      value: show,
      configurable: true,
      writable: true,
    });
  }

  /**
   * Sends PropertiesChanged for properties whose values change without being assigned, such as those of a getter.
   * They leave together with what else changes before anything else is sent, at every path with the object.
   *
   * @param changes the properties, by their names in the class: an array of those whose new value is to be read, or an
   * object with the values
   * @throws {@link InvalidArgumentError} for an unknown property, for one described as never emitting, and for a value
   * that does not fit; nothing is sent then
   * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
   */
  emitPropertiesChanged<Name extends keyof this & string>(
    changes: readonly Name[] | { readonly [Changed in Name]: unknown },
  ): void {
    this.#object.announce(changes);
  }
}

Object.defineProperty(ServiceInterface.prototype, serviceBrand, { value: true });

nameSuccessors(ServiceInterface, 'ServiceInterface', {
  configureMembers:
    'decorate the members with @method, @signal and @property, or use defineInterface() and implement()',
});
