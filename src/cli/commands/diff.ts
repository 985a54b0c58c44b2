/** `busbar diff`: how an object differs from introspection data in files, or from another object. */
import { printable } from '../../base/printable.js';
import type { Difference, InterfaceDescription } from '../../index.js';
import type { Command } from '../command.js';
import { type Described, describedByFiles, describedByObjects, STANDARD } from '../descriptions.js';
import { CommandFailure, UsageFailure } from '../failure.js';
import { library } from '../library.js';
import type { Output } from '../output.js';
import { nameHint, quoted, withHints } from '../words.js';

export const diff: Command = {
  name: 'diff',
  summary: 'compares an object with introspection data that it should have',
  docs:
    'Fails if an interface or member is missing, or has other types, access or annotations of the specification. What only ' +
    'the object has is told, and is no failure. With two FILEs, the second is compared with the first.',
  arguments: [
    {
      name: 'WORDS',
      docs: 'NAME and PATH of an object, or the FILE that is compared',
      variadic: true,
      complete: 'object',
    },
  ],
  options: [
    { flags: '--xml FILE', docs: 'the file of introspection data that is expected', complete: 'file' },
    { flags: '--interface INTERFACE', docs: 'compare only this interface', complete: 'interface' },
  ],
  examples: [
    ['busbar diff --system org.freedesktop.UPower /org/freedesktop/UPower --xml upower.xml', 'a service that runs'],
    ['busbar diff --xml old.xml new.xml', 'two versions of a file'],
  ],
  async run(session, words, options) {
    if (typeof options.xml !== 'string')
      throw new UsageFailure('--xml FILE is missing: the description that is expected');
    const only = options.interface as string | undefined;
    if (words.length > 2)
      throw new UsageFailure(`diff compares one object or file: leave ${quoted(words[2] as string)} out`);
    const files = await describedByFiles([options.xml]);
    const expected = interfacesOf(files);
    if (files.some(({ inner }) => inner.length > 0))
      process.stderr.write(`busbar: ${printable(options.xml)}: the interfaces of nodes within are not compared\n`);
    if (only !== undefined && !expected.has(only)) {
      throw new CommandFailure(withHints(`there is no interface ${quoted(only)}`, nameHint(only, expected.keys())));
    }
    const isFile = words.length === 1;
    const found = interfacesOf(await (isFile ? describedByFiles(words) : describedByObjects(session, words)));
    const compared = [...expected.values()].filter(({ name }) => only === undefined || name === only);
    const differences = [
      ...compared.flatMap((each) => library.interfaceDifferences(each, found.get(each.name))),
      ...[...found.keys()]
        .filter((name) => only === undefined && !expected.has(name) && !STANDARD.test(name))
        .map(extra),
    ];
    print(session.output, differences, compared.length);
    const failures = differences.filter(({ isFailure }) => isFailure).length;
    if (failures > 0) throw new CommandFailure(failures === 1 ? '1 difference' : `${failures} differences`);
  },
};

/** An interface that is only found. */
function extra(name: string): Difference {
  const message = `interface ${name} is not expected`;
  const values = { expected: undefined, found: undefined };
  return { interface: name, of: 'interface', name, kind: 'extra', ...values, isFailure: false, message };
}

function interfacesOf(described: readonly Described[]): ReadonlyMap<string, InterfaceDescription> {
  return new Map(described.flatMap(({ interfaces }) => interfaces.map((each) => [each.name, each] as const)));
}

function print(output: Output, differences: readonly Difference[], interfaces: number): void {
  if (output.json) {
    output.line(JSON.stringify(differences, null, 2));
    return;
  }
  if (differences.length === 0)
    output.line(interfaces === 1 ? 'no difference' : `no difference in ${interfaces} interfaces`);
  output.lines(
    differences.map(({ kind, message }) => {
      const [sign, colour] =
        kind === 'extra'
          ? (['+', 'dim'] as const)
          : kind === 'missing'
            ? (['-', 'red'] as const)
            : (['~', 'yellow'] as const);
      return output.paint(colour, `${sign} ${message}`);
    }),
  );
}
