/**
 * What a generated file has of a description, in a form that can be compared: everything but annotations of arguments,
 * overloads, and documentation of arguments that have no name of their own.
 */
import type { ArgumentDescription, InterfaceDescription, MethodDescription } from '../../src/index.js';

export function canonical(description: InterfaceDescription): object {
  const { name, docs, annotations, methods, signals, properties } = description;
  const first = new Map<string, MethodDescription>();
  for (const method of methods.values()) if (!first.has(method.name)) first.set(method.name, method);
  return {
    ...{ name, docs },
    annotations: sorted(annotations),
    methods: sorted(first, (method) => {
      const documented = argumentDocs([...method.in, ...method.out]);
      return {
        in: method.in.map(documented),
        out: method.out.map(documented),
        noReply: method.noReply && method.out.length === 0,
        ...common(method),
      };
    }),
    signals: sorted(signals, (signal) => ({ args: signal.args.map(argumentDocs(signal.args)), ...common(signal) })),
    properties: sorted(properties, (property) => {
      const { signature, access, emits } = property;
      return { signature, access, emits, ...common(property) };
    }),
  };
}

function common({ docs, deprecated, annotations }: Pick<MethodDescription, 'docs' | 'deprecated' | 'annotations'>) {
  return { docs, deprecated, annotations: sorted(annotations) };
}

/** Documentation is by the names of arguments, so only a name with one documentation has it. */
function argumentDocs(all: readonly ArgumentDescription[]) {
  return ({ name, signature, docs }: ArgumentDescription) => {
    const isAmbiguous = all.some((other) => other.name === name && other.docs !== docs);
    return { name, signature, docs: name === undefined || isAmbiguous ? undefined : docs };
  };
}

function sorted<T>(members: ReadonlyMap<string, T>, show: (member: T) => unknown = (member) => member): object {
  return Object.fromEntries(
    [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [`.${name}`, show(member)]),
  );
}
