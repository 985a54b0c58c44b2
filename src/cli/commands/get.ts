/** `busbar get`: reads properties. */
import type { NodeDescription, Variant } from '../../index.js';
import type { Command } from '../command.js';
import { UsageFailure } from '../failure.js';
import { answered, findMember, nodeOrNone, objectPlace } from '../introspection.js';
import { library } from '../library.js';
import { closeDescriptors, decoding, rawOption, showRaw, showValue } from '../values/show.js';

export const get: Command = {
  name: 'get',
  summary: 'prints properties of an object',
  arguments: [
    { name: 'NAME', docs: 'the name of the service', complete: 'name' },
    { name: 'PATH', docs: 'the path of the object', complete: 'path' },
    { name: 'INTERFACE', docs: 'the interface, if several have the property', optional: true, complete: 'interface' },
    { name: 'PROPERTY', docs: 'the properties', optional: true, variadic: true, complete: 'property' },
  ],
  options: [rawOption],
  examples: [
    ['busbar get org.freedesktop.hostname1 /org/freedesktop/hostname1 Hostname --system --raw', 'the name of the host'],
    [
      'busbar get org.freedesktop.systemd1 /org/freedesktop/systemd1 Version Features --system --json',
      'two properties as JSON, one after the other',
    ],
  ],
  async run(session, words, { raw }) {
    const place = objectPlace(words);
    const rest = words.slice(2);
    if (rest.length === 0) throw new UsageFailure(MISSING);
    const bus = await session.connect();
    const wanted = { kind: 'property', words: rest, isComplete: interfaceIn(rest, undefined) !== undefined } as const;
    const { node, hint } = await nodeOrNone(session, bus, place, { ...wanted, cure: 'give the interface as well' });
    const prefix = interfaceIn(rest, node);
    const names = prefix === undefined ? rest : rest.slice(1);
    if (names.length === 0) throw new UsageFailure(MISSING);
    for (const name of names) {
      const given = prefix === undefined ? [name] : [prefix, name];
      const named = { interface: prefix ?? '', name };
      const property = node === undefined ? named : findMember('property', node, place, given);
      const call = {
        ...place,
        interface: 'org.freedesktop.DBus.Properties',
        member: 'Get',
        signature: 'ss',
        body: [property.interface, property.name],
      };
      const options = { ...session.limits, ...decoding };
      const ask = () => bus.call(call, options);
      const [{ signature, value }] = (await answered(session, bus, place, ask, hint)) as [Variant];
      if (raw === true && !session.output.json) showRaw(session.output, signature, [value]);
      else showValue(session.output, signature, value, names.length > 1 ? name : undefined);
      closeDescriptors(value);
    }
  },
};

const MISSING = 'the property is missing: busbar get NAME PATH [INTERFACE] PROPERTY';

/** The interface, if the words begin with one. Names of properties may have dots, too. */
function interfaceIn([first = '', second]: readonly string[], node: NodeDescription | undefined): string | undefined {
  if (node?.interfaces.has(first)) return first;
  const isProperty = [...(node?.interfaces.values() ?? [])].some(({ properties }) => properties.has(first));
  return !isProperty && second !== undefined && library.isInterfaceName(first) ? first : undefined;
}
