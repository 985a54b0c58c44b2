/**
 * The base of decorated service classes. It has few members of its own, so that an interface can have nearly any name.
 * The service object, which the constructor makes, is what makes an instance exportable.
 */
import { inspect } from 'node:util';
import { InvalidArgumentError } from '../../base/errors.js';
import { nameSuccessors } from '../../base/successors.js';
import { registerExportables } from '../objects/exportable.js';
import { Recipient, type SignalDestination, type SignalDestinationOptions } from '../objects/recipient.js';
import { classDescription, interfaceOptions, type ServiceInterfaceOptions } from './class-description.js';
import type { SignalsOf } from './emits.js';
import { answerProbe, type NamedClass, staticOptions } from './interface-name.js';
import { findServiceObjects, ServiceObject, serviceBrand } from './service-object.js';

/** A class that extends {@link ServiceInterface}; its constructor may be private. */
export interface ServiceInterfaceClass<T extends ServiceInterface = ServiceInterface> extends NamedClass {
  /** The type of its instances. */
  readonly prototype: T;
}

/** The key of the phantom property that tells whether clients share a class. It does not exist at run time. */
declare const sharedBy: unique symbol;

/** Whether clients make proxies of a class, or only services use it. */
export type ServiceUse = 'shared' | 'service-only';

/** Whether a class declares that clients do not share it. */
export type IsServiceOnly<T> = T extends { readonly [sharedBy]?: infer Use }
  ? [Use] extends ['service-only' | undefined]
    ? true
    : false
  : false;

/**
 * A D-Bus interface as a class: extend it, name the interface in `super('…')`, and decorate its members with `@method`,
 * `@property` and `@signal`. Export instances with `bus.export(path, instance)`, at any number of paths and buses. Pass
 * the class itself to `bus.proxy` to make a proxy. Subclasses inherit decorated members and may override them, with or
 * without decorating them again.
 *
 * Proxies of a class have the types of its members, so the decorators refuse members whose declared types are not what
 * a client reads. `extends ServiceInterface<'service-only'>` declares that no client makes a proxy of the class. Then
 * its members may have any type that fits their signatures, and `bus.proxy` does not accept the class.
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
  /** Does not exist at run time. It tells the compiler what the class is for. */
  declare readonly [sharedBy]?: Use;

  /** The interface's name, for classes whose constructor does not pass it to `super`, or needs arguments for that. */
  static readonly interfaceName?: string | undefined;

  readonly #object: ServiceObject;

  /**
   * @param interfaceName the D-Bus interface name, alone or with options; the static `interfaceName` by default
   * @throws {@link InvalidArgumentError} if the name is invalid, or two members have the same name on D-Bus
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
    this.#object = new ServiceObject(this, classDescription(new.target.prototype, options), options);
  }

  static {
    // Not a member of the type, because proxies of a class are typed by it. A Proxy of an instance, or a prototype, is
    // shown unchanged.
    const find = (instance: object): ServiceObject | undefined => {
      try {
        return (instance as ServiceInterface).#object;
      } catch {
        return undefined;
      }
    };
    findServiceObjects(find);
    registerExportables(ServiceInterface.prototype, find);
    const show = function (this: ServiceInterface): object {
      return find(this)?.view ?? this;
    };
    Object.defineProperty(ServiceInterface.prototype, inspect.custom, {
      value: show,
      configurable: true,
      writable: true,
    });
  }

  /**
   * Sends PropertiesChanged for properties whose values change without being assigned, such as those of a getter. They
   * are sent together with other changes of the same tick, from every path with the object.
   *
   * @param changes the properties, by their names in the class: an array of those whose new values are read, or an
   * object with the values
   * @throws {@link InvalidArgumentError} if a property is unknown, never emits changes, or a value has the wrong type;
   * nothing is sent then
   * @see D-Bus specification, section "org.freedesktop.DBus.Properties"
   */
  emitPropertiesChanged<Name extends keyof this & string>(
    changes: readonly Name[] | { readonly [Changed in Name]: unknown },
  ): void {
    this.#object.announce(changes);
  }

  /**
   * Returns the signals of the object as functions that send them to one connection, which gets them without a match
   * rule. They take the arguments of the class's methods, return what these return, and emit nothing else.
   *
   * The signal is sent in the order of the program, before or after a reply, from the path that the receiver has called
   * if the object is exported there, else from all of its paths. If the receiver has left the bus, the signal is lost.
   * Between peers it is an ordinary signal. As any message to a well-known name, a signal may start a service.
   *
   * @example
   * ```ts
   * @method({ context: true })
   * Subscribe(call: CallContext): void { this.signalsTo(call).TestSignal({ vm: 'up' }); }
   *
   * @signal({ args: ['vms:a{ss}'] })
   * TestSignal(vms: Record<string, string>): Emits<Record<string, string>> { return vms; }
   * ```
   * @param destination the context of a call, for its caller, or `call.caller`, which can be kept; or a unique or
   * well-known name, for an object that is exported on one connection
   * @throws {@link InvalidArgumentError} if the destination or an option is not valid. The functions throw it if a
   * value has the wrong type, or a name does not tell which of several connections is meant; nothing is sent then
   * @see D-Bus specification, section "Message Bus Message Routing"
   */
  signalsTo(destination: SignalDestination, options: SignalDestinationOptions = {}): SignalsOf<this> {
    return this.#object.signalsTo(new Recipient(destination, options)) as SignalsOf<this>;
  }
}

Object.defineProperty(ServiceInterface.prototype, serviceBrand, { value: true });

nameSuccessors(ServiceInterface, 'ServiceInterface', {
  configureMembers:
    'decorate the members with @method, @signal and @property, or use defineInterface() and implement()',
});
