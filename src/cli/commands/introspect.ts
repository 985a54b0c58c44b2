/** `busbar introspect`: the members of an object. */
import { printable } from '../../base/printable.js';
import type {
  ArgumentDescription,
  InterfaceDescription,
  MessageBus,
  NodeDescription,
  PropertyDescription,
  Variant,
} from '../../index.js';
import type { Command } from '../command.js';
import { mapConcurrently } from '../concurrency.js';
import { STANDARD } from '../descriptions.js';
import { CommandFailure, explain, UsageFailure } from '../failure.js';
import { answered, introspected, type ObjectPlace, objectPlace } from '../introspection.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import type { Session } from '../session.js';
import { Laid, layOut } from '../values/layout.js';
import { jsonValue, readableValue } from '../values/print.js';
import { closeDescriptors, decoding, showJson } from '../values/show.js';
import { stringWidth } from '../width.js';
import { nameHint, withHints } from '../words.js';

export const introspect: Command = {
  name: 'introspect',
  summary: 'shows the interfaces of an object, with the values of its properties',
  arguments: [
    { name: 'NAME', docs: 'the name of the service', complete: 'name' },
    { name: 'PATH', docs: 'the path of the object', complete: 'path' },
    { name: 'INTERFACE', docs: 'only this interface', optional: true, complete: 'interface' },
  ],
  options: [
    { flags: '--xml', docs: 'print the introspection data as the service sent it' },
    { flags: '--no-values', docs: 'do not read the properties' },
    { flags: '--no-standard', docs: 'leave out the interfaces that every object has' },
  ],
  examples: [
    ['busbar introspect org.freedesktop.login1 /org/freedesktop/login1 --system', 'all members of an object'],
    [
      'busbar introspect org.bluez /org/bluez/hci0 org.bluez.Adapter1 --system --json',
      'the members of one interface for programs',
    ],
    ['busbar introspect org.bluez /org/bluez/hci0 --system --xml > adapter.xml', 'the data for busbar generate'],
  ],
  async run(session, words, options) {
    const place = objectPlace(words);
    const bus = await session.connect();
    if (options.xml === true) {
      await printXml(session, bus, place, words[2]);
      return;
    }
    const node = await introspected(session, bus, place);
    const interfaces = chosenInterfaces(node, place, words[2], options.standard !== false);
    const values = await mapConcurrently(interfaces, (each) =>
      options.values === false ? Promise.resolve(new Map()) : valuesOf(session, bus, place, each),
    );
    if (session.output.json) showJson(session.output, jsonOf(place, node, interfaces, values));
    else printMembers(session.output, interfaces, values);
    for (const all of values) for (const { value } of all.values()) closeDescriptors(value);
  },
};

async function printXml(session: Session, bus: MessageBus, place: ObjectPlace, only: string | undefined) {
  if (only !== undefined) throw new UsageFailure('--xml prints the data of the whole object: leave the interface out');
  const call = { ...place, interface: 'org.freedesktop.DBus.Introspectable', member: 'Introspect' };
  const [xml] = await answered(session, bus, place, () => bus.call(call, session.limits));
  session.output.line((xml as string).trimEnd());
}

function chosenInterfaces(
  node: NodeDescription,
  { destination, path }: ObjectPlace,
  only: string | undefined,
  hasStandard: boolean,
): InterfaceDescription[] {
  if (only !== undefined) {
    const chosen = node.interfaces.get(only);
    if (chosen !== undefined) return [chosen];
    const text = `${destination} ${path} has no interface ${printable(only)}`;
    throw new CommandFailure(withHints(text, nameHint(only, node.interfaces.keys())));
  }
  // What every object has is of least interest.
  const rank = ({ name }: InterfaceDescription) => (STANDARD.test(name) ? 1 : 0);
  const all = [...node.interfaces.values()].sort((a, b) => rank(a) - rank(b));
  return hasStandard ? all : all.filter((each) => rank(each) === 0);
}

/** The present values of readable properties. Those that cannot be read are told on standard error. */
async function valuesOf(
  session: Session,
  bus: MessageBus,
  place: ObjectPlace,
  { name, properties }: InterfaceDescription,
): Promise<Map<string, Variant>> {
  const readable = [...properties.values()].filter(({ access }) => access !== 'write');
  if (readable.length === 0) return new Map();
  const ask = async (member: string, ...body: readonly string[]) => {
    const call = { ...place, interface: 'org.freedesktop.DBus.Properties', member, signature: 's'.repeat(body.length) };
    const [value] = await bus.call({ ...call, body }, { ...session.limits, ...decoding });
    return value;
  };
  const failures: [what: string, error: unknown][] = [];
  // The members are of use without the values.
  const failed = (what: string, error: unknown) => {
    if (!(error instanceof library.DBusError) || session.signal.aborted) throw error;
    failures.push([what, error]);
    return undefined;
  };
  const all = await ask('GetAll', name).catch((error: unknown) => failed(`the values of ${name}`, error));
  const values = new Map((all ?? []) as Map<string, Variant>);
  const [whole] = failures;
  if (whole !== undefined && (whole[1] as InstanceType<typeof library.DBusError>).reply !== undefined) {
    // One that cannot be read makes GetAll fail.
    await mapConcurrently(readable, async (each) => {
      const value = await ask('Get', name, each.name).catch((error: unknown) => failed(`${name} ${each.name}`, error));
      if (value !== undefined) values.set(each.name, value as Variant);
    });
  }
  for (const [what, error] of values.size > 0 ? failures.slice(1) : failures.slice(0, 1)) {
    process.stderr.write(`busbar: ${printable(`${what}: ${explain(error)?.text.split('\n')[0]}`)}\n`);
  }
  return values;
}

/** What is shown of a member in one line. */
interface Line {
  readonly kind: string;
  /** Its name, and the names and types of its arguments. */
  readonly shape: string;
  readonly plainShape: string;
  readonly flags: string;
  readonly value: string | undefined;
}

function printMembers(
  output: Output,
  interfaces: readonly InterfaceDescription[],
  values: readonly ReadonlyMap<string, Variant>[],
): void {
  for (const [index, description] of interfaces.entries()) {
    if (index > 0) output.line();
    const deprecated = isDeprecated(description) ? output.paint('dim', '  deprecated') : '';
    output.line(output.paint(['bold', 'cyan'], description.name) + deprecated);
    const lines = linesOf(output, description, values[index] ?? new Map());
    output.lines(lines.flatMap((line) => printedLine(output, line)));
  }
}

function isDeprecated({ annotations }: InterfaceDescription): boolean {
  return annotations.get('org.freedesktop.DBus.Deprecated') === 'true';
}

function linesOf(output: Output, description: InterfaceDescription, values: ReadonlyMap<string, Variant>): Line[] {
  const flagsOf = (...flags: readonly (string | false)[]) => flags.filter((flag) => flag !== false).join(', ');
  const methods = [...description.methods.values()].map((each): Line => {
    const results = each.out.length === 0 ? '' : ` → ${argumentsText(each.out)}`;
    return line(output, 'method', each.name, `(${argumentsText(each.in)})${results}`, {
      flags: flagsOf(each.noReply && 'no reply', each.deprecated && 'deprecated'),
    });
  });
  const properties = [...description.properties.values()].map((each): Line => {
    const { name, signature, access, emits, deprecated } = each;
    const value = values.get(name);
    return line(output, 'property', name, ` ${signature}`, {
      flags: flagsOf(
        access === 'read' ? false : access === 'write' ? 'write-only' : 'writable',
        emits === true ? false : emits === 'invalidates' ? 'invalidates' : emits === 'const' ? 'const' : 'no signal',
        deprecated && 'deprecated',
      ),
      value: value && layOut(readableValue(output, value.signature, value.value), Number.POSITIVE_INFINITY),
    });
  });
  const signals = [...description.signals.values()].map(
    (each): Line =>
      line(output, 'signal', each.name, `(${argumentsText(each.args)})`, {
        flags: flagsOf(each.deprecated && 'deprecated'),
      }),
  );
  return [...methods, ...properties, ...signals];
}

function line(
  output: Output,
  kind: string,
  name: string,
  types: string,
  { flags = '', value }: { readonly flags?: string; readonly value?: string | undefined },
): Line {
  const plainName = printable(name);
  const plainShape = `${plainName}${printable(types)}`;
  return { kind, shape: output.paint('bold', plainName) + printable(types), plainShape, flags, value };
}

function argumentsText(all: readonly ArgumentDescription[]): string {
  return all.map(({ name, signature }) => (name ? `${name}: ${signature}` : signature)).join(', ');
}

const KIND_WIDTH = 'property'.length;

/** One line, or several if the arguments need more than the width. */
function printedLine(output: Output, { kind, shape, plainShape, flags, value }: Line): string[] {
  const head = `  ${output.paint('dim', kind.padEnd(KIND_WIDTH))}  `;
  const room = output.width - KIND_WIDTH - 4;
  const suffix = flags === '' ? '' : `  ${output.paint('yellow', flags)}`;
  const result = value === undefined ? '' : ` = ${value}`;
  const whole = `${shape}${result}${suffix}`;
  if (stringWidth(whole) <= room) return [head + whole];
  const indent = ' '.repeat(KIND_WIDTH + 6);
  const cutResult =
    value === undefined ? '' : ` = ${output.cut(value, Math.max(10, room - stringWidth(plainShape + suffix) - 3))}`;
  const cut = `${shape}${cutResult}${suffix}`;
  if (stringWidth(cut) <= room) return [head + cut];
  return [...broken(shape, room, head, indent), ...(suffix === '' ? [] : [`${indent}${suffix.trimStart()}`])];
}

/** Breaks a long list of arguments after commas and before the arrow. */
function broken(shape: string, room: number, head: string, indent: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const part of shape.split(/(?<=, )|(?= → )/)) {
    const isLong = stringWidth(current + part.trimEnd()) > room - (lines.length > 0 ? 2 : 0);
    if (isLong && current !== '') {
      lines.push(current.trimEnd());
      current = part.trimStart();
    } else current += part;
  }
  return [...lines, current].map((text, index) => (index === 0 ? head : indent) + text);
}

function jsonOf(
  { path }: ObjectPlace,
  node: NodeDescription,
  interfaces: readonly InterfaceDescription[],
  values: readonly ReadonlyMap<string, Variant>[],
): unknown {
  const argument = ({ name, signature }: ArgumentDescription) => ({ name, type: signature });
  const rest = (each: { readonly deprecated: boolean; readonly annotations: ReadonlyMap<string, string> }) => ({
    deprecated: each.deprecated || undefined,
    annotations: each.annotations.size === 0 ? undefined : Object.fromEntries(each.annotations),
  });
  return {
    path,
    interfaces: interfaces.map(({ name, methods, properties, signals, annotations }, index) => ({
      name,
      methods: [...methods.values()].map((each) => ({
        name: each.name,
        in: each.in.map(argument),
        out: each.out.map(argument),
        noReply: each.noReply || undefined,
        ...rest(each),
      })),
      properties: [...properties.values()].map((each) => ({
        name: each.name,
        type: each.signature,
        access: each.access,
        emits: each.emits,
        ...shownValue(each, values[index]),
        ...rest(each),
      })),
      signals: [...signals.values()].map((each) => ({ name: each.name, args: each.args.map(argument), ...rest(each) })),
      annotations: annotations.size === 0 ? undefined : Object.fromEntries(annotations),
    })),
    children: [...node.children.keys()],
  };
}

function shownValue({ name }: PropertyDescription, values: ReadonlyMap<string, Variant> | undefined) {
  const value = values?.get(name);
  return value === undefined ? {} : { value: new Laid(jsonValue(value.signature, value.value)) };
}
