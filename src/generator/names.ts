/** The names of what is generated for an interface: of its file, and of what the file exports. */
import { untaken } from './literals.js';

/** Names that have a meaning in generated files. */
const MEANINGS = new Set(
  (
    'Array Boolean Buffer Function Map Number Object Promise ReadonlyMap Record Set String Symbol Uint8Array ' +
    'DBusError Emits FileDescriptor ImplementationMembers NotSupportedError ServiceInterface'
  ).split(' '),
);

/** Under this name an interface is exported: `UPowerDevice` for `org.freedesktop.UPower.Device`. */
export function exportedName(interfaceName: string): string {
  const elements = interfaceName.split('.');
  const own = elements.slice(Math.min(2, elements.length - 1));
  const words = own.flatMap((element) => element.split('_')).filter((word) => word !== '');
  const name = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('') || 'Interface';
  const valid = /^\d/.test(name) ? `_${name}` : name;
  return MEANINGS.has(valid) ? `${valid}Interface` : valid;
}

/**
 * The names of the files of interfaces, in the order of the interfaces. Names that differ only in case would be one file
 * on some disks, so all but the first get a number.
 */
export function fileNames(interfaceNames: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  const byName = new Map(
    [...interfaceNames].sort().map((name) => {
      const base = untaken(name, (each) => taken.has(each.toLowerCase()));
      taken.add(base.toLowerCase());
      return [name, `${base}.ts`];
    }),
  );
  return interfaceNames.map((name) => byName.get(name) as string);
}
