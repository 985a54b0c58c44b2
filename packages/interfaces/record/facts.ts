/**
 * The facts of introspection data: names, signatures, directions, access, and the annotations that matter to every
 * language. Documentation, comments, and annotations for the code generators of single languages are left out.
 */
import { type Annotations, type InterfaceDescription, introspectionXml, parseIntrospection } from 'busbar';

/** Annotations for code in C, C++ or GLib, and texts. */
const leftOut = /^(org\.gtk\.GDBus|org\.freedesktop\.DBus\.GLib|org\.qtproject\.QtDBus|com\.trolltech\.QtDBus)\b/;

/** The interfaces in XML, without those that every object has. */
export function factsOf(xml: string, origin: string): readonly InterfaceDescription[] {
  const { interfaces } = parseIntrospection(xml, { origin });
  return [...interfaces.values()].filter(({ name }) => !name.startsWith('org.freedesktop.DBus.')).map(withoutTexts);
}

/** The file of a family: its interfaces by name. */
export function recordedXml(interfaces: readonly InterfaceDescription[]): string {
  const sorted = interfaces.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return introspectionXml({
    path: undefined,
    interfaces: new Map(sorted.map((each) => [each.name, each])),
    children: new Map(),
  });
}

function withoutTexts({ docs: _, ...description }: InterfaceDescription): InterfaceDescription {
  return {
    ...description,
    annotations: kept(description.annotations),
    methods: mapped(description.methods, ({ in: inArgs, out, ...method }) => ({
      ...bare(method),
      in: inArgs.map(argument),
      out: out.map(argument),
    })),
    signals: mapped(description.signals, ({ args, ...signal }) => ({ ...bare(signal), args: args.map(argument) })),
    properties: mapped(description.properties, bare),
  };
}

function bare<T extends { readonly docs?: string; readonly annotations: Annotations }>({ docs: _, ...member }: T): T {
  return { ...member, annotations: kept(member.annotations) } as T;
}

function argument({ name, signature }: { readonly name: string | undefined; readonly signature: string }) {
  return { name, signature };
}

function kept(annotations: Annotations): Annotations {
  return new Map([...annotations].filter(([name]) => !leftOut.test(name)));
}

function mapped<T>(members: ReadonlyMap<string, T>, change: (member: T) => T): ReadonlyMap<string, T> {
  return new Map([...members].map(([name, member]) => [name, change(member)]));
}
