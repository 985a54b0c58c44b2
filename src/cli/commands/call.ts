/** `busbar call`: calls a method. */
import type { MessageBus, MethodDescription } from '../../index.js';
import type { Command, OptionValues } from '../command.js';
import { succeeds, UsageFailure } from '../failure.js';
import { answered, findMember, nodeOrNone, type ObjectPlace, objectPlace } from '../introspection.js';
import { library } from '../library.js';
import type { Session } from '../session.js';
import { readArguments, type Values, valuesOf, valuesWithSignature } from '../values/arguments.js';
import { closeDescriptors, decoding, rawOption, showRaw, showValues } from '../values/show.js';
import { quoted } from '../words.js';

export const call: Command = {
  name: 'call',
  summary: 'calls a method, and prints the values of its reply',
  docs: 'The types of the arguments come from the introspection data of the object. Strings, numbers and booleans are plain words; arrays, structs and dictionaries are JSON; a variant is its type and its value (u 5), {"type": "u", "data": 5}, or a value of which the type is clear. The words that busctl takes are understood as well.',
  arguments: [
    { name: 'NAME', docs: 'the name of the service', complete: 'name' },
    { name: 'PATH', docs: 'the path of the object', complete: 'path' },
    { name: 'INTERFACE', docs: 'the interface, if several have the method', optional: true, complete: 'interface' },
    { name: 'MEMBER', docs: 'the method', optional: true, complete: 'method' },
    { name: 'ARGS', docs: 'the arguments', optional: true, variadic: true },
  ],
  options: [
    {
      flags: '-s, --signature SIGNATURE',
      docs: 'the types of ARGS, which are written as in busctl then; the object is not introspected',
    },
    rawOption,
    { flags: '--interactive', docs: 'let the service ask the user for permission' },
    { flags: '--no-reply', docs: 'do not wait for the reply' },
    { flags: '--no-start', docs: 'do not start the service if it is not running' },
  ],
  examples: [
    [
      "busbar call org.freedesktop.Notifications /org/freedesktop/Notifications Notify app 0 '' Hello 'How are you?' '[]' '{}' 5000",
      'shows a notification, and prints its id',
    ],
    [
      'busbar call org.freedesktop.DBus / NameHasOwner org.bluez --system --json',
      'prints {"type": "b", "data": [true]}',
    ],
    [
      'busbar call org.freedesktop.DBus / org.freedesktop.DBus NameHasOwner s org.bluez',
      'the words of busctl, which begin with the signature',
    ],
  ],
  async run(session, words, options) {
    const place = { ...objectPlace(words), autoStart: options.start !== false };
    const bus = await session.connect();
    const method = await methodOf(session, bus, place, words.slice(2), options);
    const { signature, body } = method.values;
    const head = { ...place, interface: method.interface, member: method.name, signature, body };
    const flags = { interactive: options.interactive === true };
    if (options.reply === false) {
      await bus.call({ ...head, ...flags, noReply: true }, session.limits);
      return;
    }
    const ask = () => bus.call({ ...head, ...flags, reply: 'message' }, session.limits);
    const reply = await answered(session, bus, place, ask, method.hint);
    const results = reply.decode(decoding);
    if (options.raw === true && !session.output.json) showRaw(session.output, reply.signature, results);
    else showValues(session.output, reply.signature, results, method.results);
    results.forEach(closeDescriptors);
  },
};

interface CalledMethod {
  readonly interface: string | undefined;
  readonly name: string;
  readonly values: Values;
  readonly results?: MethodDescription['out'];
  /** For an error that the service answers. */
  readonly hint?: string | undefined;
}

async function methodOf(
  session: Session,
  bus: MessageBus,
  place: ObjectPlace,
  words: readonly string[],
  { signature }: OptionValues,
): Promise<CalledMethod> {
  if (words.length === 0) throw new UsageFailure('the method is missing: busbar call NAME PATH [INTERFACE] MEMBER');
  if (typeof signature === 'string') {
    const { rest, ...named } = namedMember(words);
    return { ...named, values: valuesOf(signature, rest) };
  }
  const bare = () => {
    const { rest, ...named } = namedMember(words);
    return { ...named, values: valuesWithSignature(rest) };
  };
  const isComplete = succeeds(bare)?.interface !== undefined;
  const cure = 'give the interface and the types, with --signature';
  const { node, hint } = await nodeOrNone(session, bus, place, { kind: 'method', words, isComplete, cure });
  if (node === undefined) return { ...bare(), hint };
  const found = findMember('method', node, place, words);
  const rest = words.slice(found.taken);
  const method = chosen(found.candidates, rest);
  const { name } = found;
  return {
    interface: found.interface,
    name,
    values: readArguments({ name, arguments: method.in }, rest),
    results: method.out,
  };
}

/** Of methods with the same name, the one with as many arguments as there are words, or the signature of busctl. */
function chosen(candidates: readonly MethodDescription[], words: readonly string[]): MethodDescription {
  const [first] = candidates;
  const fits = ({ in: all, inSignature }: MethodDescription) =>
    all.length === words.length || (words.length > 1 && words[0] === inSignature);
  return candidates.find(fits) ?? (first as MethodDescription);
}

/** The words for an object without introspection data: `INTERFACE MEMBER …`, `INTERFACE.MEMBER …` or `MEMBER …`. */
function namedMember([first = '', ...rest]: readonly string[]) {
  const [second, ...others] = rest;
  if (library.isInterfaceName(first) && second !== undefined && library.isMemberName(second)) {
    return { interface: first, name: second, rest: others };
  }
  const dot = first.lastIndexOf('.');
  const name = first.slice(dot + 1);
  if (library.isMemberName(name) && (dot < 0 || library.isInterfaceName(first.slice(0, dot)))) {
    return { interface: dot < 0 ? undefined : first.slice(0, dot), name, rest };
  }
  throw new UsageFailure(`${quoted(first)} is neither an interface nor a method`);
}
