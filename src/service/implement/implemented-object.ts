/**
 * An object that `implement` made, as a bus uses it. The program keeps its functions. Properties that are given as plain
 * values are stored here, and every change of them goes through here.
 */

import { callableName } from '../../base/called-by-itself.js';
import { InvalidArgumentError, UnknownMethodError, UnknownPropertyError } from '../../base/errors.js';
import { quoted } from '../../base/names.js';
import { suggestion } from '../../base/nearest-name.js';
import { printable } from '../../base/printable.js';
import { describe as describeValue } from '../../codec/misfit.js';
import { shapedBody } from '../../codec/shaped-value.js';
import type { InterfaceDefinition } from '../../interface/define-interface.js';
import type { InterfaceDescription } from '../../interface/description.js';
import { checkNotProvided } from '../../interface/reserved-interfaces.js';
import type { VariantChoice } from '../../signature/types.js';
import type { CallContext } from '../calls/call-context.js';
import { withContext } from '../calls/with-context.js';
import { GENERATOR, isGenerator } from '../class/decoration.js';
import type { Exportable } from '../objects/exportable.js';
import { viewOf } from '../objects/inspection.js';
import type { Recipient } from '../objects/recipient.js';
import { type ImplementOptions, implementedRules } from '../permits/implemented-rules.js';
import { type MemberRules, withoutBroadcasts } from '../permits/member-rules.js';
import { checkOf } from '../permits/value-checks.js';
import { type PropertySource, PropertyStore } from '../properties/property-store.js';
import { type AssignableProperties, type ImplementedKind, kindOf } from './implemented-kind.js';
import { implementedProperty, PropertyFunctions } from './implemented-property.js';

type Handler = (this: unknown, ...args: readonly unknown[]) => unknown;

/** Stores the value of a property in its object. */
let storeValue: (this: ImplementedObject, name: string, value: unknown) => void;

export class ImplementedObject implements Exportable, PropertySource {
  readonly rules: MemberRules | undefined;
  readonly properties: PropertyStore;
  readonly #kind: ImplementedKind;
  readonly #members: Record<string, unknown>;
  /**
   * The methods, and after them the properties, in the order of the description: each is a function, a stored value, or
   * the functions of a property. One array takes less memory than an object for each.
   */
  readonly #parts: unknown[];
  #emitters: object | undefined;
  #assignable: AssignableProperties | undefined;

  /** @throws {@link InvalidArgumentError} as `implement` does */
  constructor(definition: InterfaceDefinition, given: object, options?: ImplementOptions<object>) {
    const { description: described } = definition;
    const members = given as Record<string, unknown>;
    checkNotProvided(described.name);
    checkMembers(described, members);
    this.rules = options && implementedRules(described, options);
    const { guarded } = this.rules ?? {};
    const description = guarded ? withoutBroadcasts(described, (name) => guarded.has(name)) : described;
    this.#kind = kindOf(description === described ? definition : { ...definition, description });
    this.#members = members;
    this.properties = new PropertyStore(description, this);
    this.#parts = new Array(this.#kind.size);
    let index = 0;
    for (const name of description.methods.keys()) this.#parts[index++] = functionOf(name, members[name]);
    for (const property of description.properties.values())
      this.#parts[index++] = implementedProperty(property, members, checkOf(this.rules, property.name));
  }

  get description(): InterfaceDescription {
    return this.#kind.description;
  }

  get readings(): ReadonlyMap<string, VariantChoice> {
    return this.#kind.readings;
  }

  /** All members are there from the beginning. */
  get isUnsettled(): boolean {
    return false;
  }

  callMethod(name: string, args: readonly unknown[], context: CallContext): unknown {
    const index = this.#kind.methods.get(name);
    if (index === undefined) throw new UnknownMethodError(`${this.description.name} has no method ${name}`);
    return (this.#parts[index] as Handler).apply(this.#members, withContext(args, context));
  }

  readProperty(name: string, call?: CallContext): unknown {
    const part = this.#parts[this.#indexOf(name)];
    return part instanceof PropertyFunctions ? part.get(call) : part;
  }

  writeProperty(name: string, value: unknown, call?: CallContext): unknown {
    const part = this.#parts[this.#indexOf(name)];
    if (!(part instanceof PropertyFunctions)) {
      this.properties.assign(name, value, part, storeValue, this);
      return undefined;
    }
    const get = part.isReadable ? () => part.get(undefined) : undefined;
    return this.properties.assignBehind(name, value, get, (taken) => part.set(taken, call));
  }

  readingOfProperty(name: string): VariantChoice | undefined {
    return this.#kind.propertyReadings.get(name);
  }

  get storesAll(): boolean {
    for (const part of this.#parts) if (part instanceof PropertyFunctions) return false;
    return true;
  }

  /** First values were checked when they were passed in. */
  prepare(): void {}

  announce(changes: readonly string[] | Readonly<Record<string, unknown>>): void {
    this.properties.announce(this.#kind.names, changes);
  }

  /** The functions that emit the signals. */
  get emitters(): object {
    this.#emitters ??= this.makeEmitters();
    return this.#emitters;
  }

  /** The object by which the program reads and assigns the properties. */
  get assignableProperties(): object {
    this.#assignable ??= this.#kind.assignableProperties(this);
    return this.#assignable;
  }

  /**
   * Makes the functions that emit the signals.
   *
   * @param recipient the connection that gets them, if not all do
   */
  makeEmitters(recipient?: Recipient): object {
    const emitters = Object.create(null);
    for (const [name, { shapes }] of this.description.signals) {
      // Not an expression: JavaScriptCore forgets the frame of a function whose result is that of another one.
      const emit = (...values: unknown[]): void => {
        const sent = shapes === undefined ? values : shapedBody(shapes, values);
        this.properties.places.emitSignal(name, sent, emit, recipient);
      };
      emitters[callableName(name)] = emit;
    }
    return Object.freeze(emitters);
  }

  /** What inspection shows: its properties. */
  get view(): object {
    const members: PropertyDescriptorMap = {};
    for (const [name, { access }] of this.description.properties) {
      const part = this.#parts[this.#indexOf(name)];
      const accessor: PropertyDescriptor = {};
      if (access !== 'write') accessor.get = () => this.readProperty(name);
      if (access !== 'read') accessor.set = (value) => this.writeProperty(name, value);
      // Reading a stored value runs no code of the program.
      members[name] = part instanceof PropertyFunctions ? accessor : { value: part };
    }
    return viewOf(this, 'Implementation', this, members);
  }

  /** @throws {@link UnknownPropertyError} */
  #indexOf(name: string): number {
    const index = this.#kind.properties.get(name);
    if (index === undefined) throw new UnknownPropertyError(`${this.description.name} has no property ${quoted(name)}`);
    return index;
  }

  static {
    storeValue = function (this: ImplementedObject, name, value) {
      this.#parts[this.#indexOf(name)] = value;
    };
  }
}

function functionOf(name: string, value: unknown): Handler {
  if (isGenerator(value)) throw new InvalidArgumentError(`the method ${name}: ${GENERATOR}`);
  if (typeof value === 'function') return value as Handler;
  throw new InvalidArgumentError(`the method ${name}: expected a function, got ${describeValue(value)}`);
}

function checkMembers({ name, methods, properties }: InterfaceDescription, members: Record<string, unknown>): void {
  if (typeof members !== 'object' || members === null) {
    throw new InvalidArgumentError(
      `members: expected an object with the methods and properties of ${name}, got ${describeValue(members)}`,
    );
  }
  const wanted = [...methods.keys(), ...properties.keys()];
  for (const member of wanted) {
    if (methods.has(member) && properties.has(member)) {
      throw new InvalidArgumentError(`${name} has a method and a property ${member}: use a class with decorators`);
    }
    if (!has(members, member)) throw new InvalidArgumentError(missingMember(name, member, methods.has(member)));
  }
  // A class may have further members. In a plain object an unknown name is a mistake.
  if (Object.getPrototypeOf(members) !== Object.prototype) return;
  for (const member of Object.keys(members)) {
    if (methods.has(member) || properties.has(member)) continue;
    throw new InvalidArgumentError(`${name} has no method or property ${member}${suggestion(member, wanted)}`);
  }
}

function missingMember(name: string, member: string, isMethod: boolean): string {
  const what = isMethod ? 'method' : 'property';
  const cure = isMethod ? 'a function' : 'its first value, or functions { get, set }';
  return `the implementation of ${name} has no ${what} ${printable(member)}: add ${cure}`;
}

/** Whether there is such a member, other than those that every object has (`toString`, `constructor`). */
function has(members: Record<string, unknown>, name: string): boolean {
  return name in members && members[name] !== (Object.prototype as unknown as Record<string, unknown>)[name];
}
