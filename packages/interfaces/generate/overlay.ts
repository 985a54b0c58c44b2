/** Joins recorded interfaces with what is written by hand about them. Every key of a family must have something to apply to. */
import type {
  ArgumentDescription,
  InterfaceDescription,
  MethodDescription,
  PropertyDescription,
  SignalDescription,
} from 'busbar';
import type { Family, PreciseType } from '../families/family.js';

/** An interface of a family, with the documentation, and the names and types of the specification. */
export interface FamilyInterface {
  readonly name: string;
  readonly description: InterfaceDescription;
}

/** The name under which an interface is exported: its elements after the family's prefix, without a final 1. */
export function exportedNameIn(family: Family, interfaceName: string): string {
  const given = family.names?.[interfaceName];
  if (given !== undefined) return given;
  if (!interfaceName.startsWith(family.prefix))
    throw new Error(`${interfaceName} does not begin with ${family.prefix}`);
  const words = interfaceName.slice(family.prefix.length).split('.');
  return words.map((word) => word[0]?.toUpperCase() + word.slice(1).replace(/(?<=[a-z])1$/i, '')).join('');
}

/** Applies the texts and corrections of a family. */
export class Overlay {
  readonly #family: Family;
  readonly #used = new Set<string>();

  constructor(family: Family) {
    this.#family = family;
  }

  apply(recorded: InterfaceDescription): FamilyInterface {
    const name = exportedNameIn(this.#family, recorded.name);
    const description = {
      ...recorded,
      ...this.#docs(name),
      methods: mapped(recorded.methods, (method) => this.#method(`${name}.${method.name}`, method)),
      signals: mapped(recorded.signals, (signal) => this.#signal(`${name}.${signal.name}`, signal)),
      properties: mapped(recorded.properties, (property) => this.#property(`${name}.${property.name}`, property)),
    };
    return { name, description };
  }

  /** The type of a property, or of an argument that follows the member in the key. */
  typeOf(member: string, argument?: ArgumentDescription): PreciseType | undefined {
    const key = argument === undefined ? member : `${member}.${argument.name}`;
    const found = this.#take('types', key);
    if (found !== undefined || argument === undefined) return found;
    const everywhere = this.#family.types?.[`*.${argument.name}`];
    if (everywhere === undefined || argument.signature !== 'a{sv}') return undefined;
    return this.#take('types', `*.${argument.name}`);
  }

  /** The keys that nothing was applied to. */
  unused(): readonly string[] {
    const tables = ['docs', 'types', 'argumentNames', 'corrections', 'emits'] as const;
    return tables.flatMap((table) =>
      Object.keys(this.#family[table] ?? {})
        .map((key) => `${table} ${key}`)
        .filter((key) => !this.#used.has(key)),
    );
  }

  #take<T extends 'docs' | 'types' | 'argumentNames' | 'corrections' | 'emits'>(
    table: T,
    key: string,
  ): NonNullable<Family[T]>[string] | undefined {
    const value = this.#family[table]?.[key];
    if (value !== undefined) this.#used.add(`${table} ${key}`);
    return value as NonNullable<Family[T]>[string] | undefined;
  }

  #docs(key: string): { readonly docs?: string } {
    const docs = this.#take('docs', key);
    return docs === undefined ? {} : { docs };
  }

  #method(key: string, method: MethodDescription): MethodDescription {
    const names = this.#take('argumentNames', key) ?? [];
    return {
      ...method,
      ...this.#docs(key),
      in: this.#arguments(key, method.in, names),
      out: this.#arguments(key, method.out, names.slice(method.in.length)),
    };
  }

  #signal(key: string, signal: SignalDescription): SignalDescription {
    const args = this.#corrected(key, signal.args);
    const names = this.#take('argumentNames', key) ?? [];
    const signature = args.map((arg) => arg.signature).join('');
    return { ...signal, ...this.#docs(key), args: this.#arguments(key, args, names), signature };
  }

  #corrected(key: string, args: readonly ArgumentDescription[]): readonly ArgumentDescription[] {
    const correction = this.#take('corrections', key);
    if (correction === undefined) return args;
    const recorded = args.map((arg) => arg.signature).join('');
    if (recorded !== correction.recorded) throw new Error(`${key} was recorded as ${recorded}: is it still wrong?`);
    return [{ name: args[0]?.name, signature: correction.signature }];
  }

  #arguments(
    key: string,
    args: readonly ArgumentDescription[],
    names: readonly string[],
  ): readonly ArgumentDescription[] {
    return args.map((arg, index) => {
      const name = arg.name ?? names[index];
      return { ...arg, name, ...this.#docs(`${key}.${name}`) };
    });
  }

  #property(key: string, property: PropertyDescription): PropertyDescription {
    const emits = this.#take('emits', key);
    return { ...property, ...this.#docs(key), ...(emits === undefined ? {} : { emits }) };
  }
}

function mapped<T>(members: ReadonlyMap<string, T>, change: (member: T) => T): ReadonlyMap<string, T> {
  return new Map([...members].map(([name, member]) => [name, change(member)]));
}
