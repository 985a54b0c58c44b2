/** `busbar set`: writes a property. */

import type { NodeDescription } from '../../index.js';
import type { Command } from '../command.js';
import { CommandFailure, succeeds, UsageFailure } from '../failure.js';
import { answered, findMember, nodeOrNone, type ObjectPlace, objectPlace } from '../introspection.js';
import { library } from '../library.js';
import { readArguments, type Values, valuesOf, valuesWithSignature } from '../values/arguments.js';

export const set: Command = {
  name: 'set',
  summary: 'writes a property of an object',
  docs: 'The value is written like an argument of busbar call.',
  arguments: [
    { name: 'NAME', docs: 'the name of the service', complete: 'name' },
    { name: 'PATH', docs: 'the path of the object', complete: 'path' },
    { name: 'INTERFACE', docs: 'the interface, if several have the property', optional: true, complete: 'interface' },
    { name: 'PROPERTY', docs: 'the property', optional: true, complete: 'writable-property' },
    { name: 'VALUE', docs: 'the value', optional: true, variadic: true },
  ],
  options: [
    {
      flags: '-s, --signature SIGNATURE',
      docs: 'the type of VALUE, which is written as in busctl then; the object is not introspected',
    },
    { flags: '--interactive', docs: 'let the service ask the user for permission' },
  ],
  examples: [
    ['busbar set org.bluez /org/bluez/hci0 Powered true --system', 'switches Bluetooth on'],
    ['busbar set org.mpris.MediaPlayer2.vlc /org/mpris/MediaPlayer2 Volume 0.5', 'makes a player quieter'],
  ],
  async run(session, words, { signature, interactive }) {
    const place = objectPlace(words);
    const rest = words.slice(2);
    if (rest.length < 2) throw new UsageFailure('words are missing: busbar set NAME PATH [INTERFACE] PROPERTY VALUE');
    const bus = await session.connect();
    const bare = () => withoutNode(rest, signature as string | undefined);
    const isComplete = Boolean(succeeds(bare)?.interface);
    const cure = 'give the interface and the type, with --signature';
    const wanted = { kind: 'property', words: rest, isComplete, cure } as const;
    const { node, hint } = typeof signature === 'string' ? {} : await nodeOrNone(session, bus, place, wanted);
    const property = node === undefined ? bare() : inNode(node, place, rest);
    const { values } = property;
    const value = new library.Variant(values.signature, values.body[0] as never);
    const call = {
      ...place,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Set',
      signature: 'ssv',
      body: [property.interface, property.name, value],
    };
    const ask = () => bus.call({ ...call, interactive: interactive === true }, session.limits);
    await answered(session, bus, place, ask, hint);
  },
};

interface WrittenProperty {
  readonly interface: string;
  readonly name: string;
  readonly values: Values;
}

function inNode(node: NodeDescription, place: ObjectPlace, words: readonly string[]): WrittenProperty {
  const found = findMember('property', node, place, words);
  const [property] = found.candidates;
  if (property?.access === 'read') {
    throw new CommandFailure(`${found.interface} ${found.name} is read-only`);
  }
  const taker = { name: found.name, arguments: [{ name: undefined, signature: property?.signature ?? 'v' }] };
  return { interface: found.interface, name: found.name, values: readArguments(taker, words.slice(found.taken)) };
}

function withoutNode([first = '', ...others]: readonly string[], signature: string | undefined): WrittenProperty {
  const hasInterface = library.isInterfaceName(first) && others.length > 1;
  const [name = '', ...words] = hasInterface ? others : [first, ...others];
  const values = signature === undefined ? valuesWithSignature(words) : valuesOf(signature, words);
  if (values.body.length !== 1) throw new UsageFailure(`a property has one value, not ${values.body.length}`);
  return { interface: hasInterface ? first : '', name, values };
}
