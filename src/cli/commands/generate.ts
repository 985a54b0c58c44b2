/** `busbar generate`: TypeScript files from introspection data. */
import { join } from 'node:path';
import { FORMS, type Form, type GeneratedFile, generateFiles } from '../../generator/generate.js';
import type { InterfaceDescription } from '../../index.js';
import type { Command, OptionValues } from '../command.js';
import { type Described, describedByFiles, describedByObjects, STANDARD } from '../descriptions.js';
import { CommandFailure, UsageFailure } from '../failure.js';
import { type FileState, type OutputFile, outputFiles, undescribedFiles } from '../generated-folder.js';
import type { Session } from '../session.js';
import { nameHint, quoted, withHints } from '../words.js';

export const generate: Command = {
  name: 'generate',
  summary: 'generates TypeScript from introspection data: one file an interface',
  docs:
    'The data is that of an object, or of files with --xml. Files that were not generated are never replaced. The ' +
    'standard interfaces, which busbar itself has as `standard`, are left out unless --interface names them.',
  arguments: [
    {
      name: 'WORDS',
      docs: 'NAME and PATH… of objects, or FILE… with --xml',
      optional: true,
      variadic: true,
      complete: 'object',
    },
  ],
  options: [
    { flags: '--xml', docs: 'the words are files of introspection data', complete: 'file' },
    { flags: '--out DIR', docs: 'write the files into a folder; without it they are printed', complete: 'file' },
    { flags: '--client', docs: 'generate definitions, for proxies (the default)' },
    { flags: '--service', docs: 'generate definitions, and members to start an implementation with' },
    { flags: '--class', docs: 'generate decorated classes' },
    { flags: '--interface INTERFACE', docs: 'generate only this interface', complete: 'interface' },
    {
      flags: '--check',
      docs: 'write nothing, and fail if a file in the folder is not as it would be generated',
    },
  ],
  examples: [
    [
      'busbar generate --system org.freedesktop.UPower /org/freedesktop/UPower --out src/dbus',
      'from a service that runs',
    ],
    ['busbar generate --xml data/*.xml --class --out src/dbus', 'decorated classes, from files'],
    ['busbar generate --xml data/*.xml --out src/dbus --check', 'for CI: fails if a file has to be generated again'],
  ],
  async run(session, words, options) {
    const form = formOf(options);
    const folder = options.out as string | undefined;
    if (options.check === true && folder === undefined)
      throw new UsageFailure('--check compares the files in a folder: add --out DIR');
    const described =
      options.xml === true ? await describedByFiles(filesOf(words)) : await describedByObjects(session, words);
    const only = options.interface as string | undefined;
    const files = generateFiles(chosen(described, only), form);
    if (files.length === 0) throw new CommandFailure('there is no interface to generate');
    if (folder === undefined) print(session, files);
    else await output(session, folder, files, options.check === true && (only === undefined ? 'all' : 'some'));
  },
};

function formOf(options: OptionValues): Form {
  const [form = 'client', other] = FORMS.filter((each) => options[each] === true);
  if (other !== undefined) throw new UsageFailure(`--${form} and --${other} exclude each other: leave one of them out`);
  return form;
}

function filesOf(words: readonly string[]): readonly string[] {
  if (words.length === 0) throw new UsageFailure('--xml needs a FILE');
  return words;
}

/**
 * Each interface once.
 *
 * @throws {@link CommandFailure} if two origins describe an interface differently
 */
function chosen(described: readonly Described[], only: string | undefined): readonly InterfaceDescription[] {
  const found = new Map<string, { readonly description: InterfaceDescription; readonly origin: string }>();
  const all = new Set<string>();
  for (const { origin, interfaces, inner } of described) {
    for (const description of [...interfaces, ...inner]) {
      const { name } = description;
      all.add(name);
      if (only === undefined ? STANDARD.test(name) : name !== only) continue;
      const known = found.get(name);
      if (known === undefined) found.set(name, { description, origin });
      else if (text(known.description) !== text(description)) {
        throw new CommandFailure(`${known.origin} and ${origin} describe ${name} differently`);
      }
    }
  }
  if (only !== undefined && found.size === 0) {
    throw new CommandFailure(withHints(`there is no interface ${quoted(only)}`, nameHint(only, all)));
  }
  return [...found.values()].map(({ description }) => description);
}

function text(description: InterfaceDescription): string | undefined {
  return generateFiles([description], 'client')[0]?.text;
}

function print({ output }: Session, files: readonly GeneratedFile[]): void {
  if (output.json) output.line(JSON.stringify(files, null, 2));
  else output.lines(files.map((file) => file.text.trimEnd()));
}

/** @throws (rejects) {@link CommandFailure} if a check found something, or a file would be lost */
async function output(
  session: Session,
  folder: string,
  files: readonly GeneratedFile[],
  check: false | 'all' | 'some',
): Promise<void> {
  const isCheck = check !== false;
  const generated = await outputFiles(folder, files, isCheck);
  // Told, and no fault: another command may generate files into the same folder.
  const found = check === 'all' ? [...generated, ...(await undescribedFiles(folder, files))] : generated;
  tell(session, folder, found, isCheck);
  const foreign = found.filter(({ state }) => state === 'foreign').map(({ name }) => join(folder, name));
  if (foreign.length > 0) {
    throw new CommandFailure(
      withHints(
        isCheck
          ? `not generated: ${foreign.join(', ')}`
          : `nothing was written: ${foreign.join(', ')} was not generated`,
        'move it away, or choose another folder',
      ),
    );
  }
  if (!isCheck) return;
  const different = generated.filter(({ state }) => state !== 'same').length;
  if (different > 0) {
    throw new CommandFailure(`${different} of ${generated.length} files must be generated again`);
  }
}

/** What is told of a file, by its state before. */
const told: Readonly<Record<FileState, readonly [written: string, checked: string]>> = {
  missing: ['new', 'missing'],
  changed: ['changed', 'different'],
  same: ['unchanged', 'unchanged'],
  foreign: ['not generated', 'not generated'],
  undescribed: ['not described', 'not described'],
};

function tell({ output }: Session, folder: string, found: readonly OutputFile[], isCheck: boolean): void {
  if (output.json) {
    output.line(
      JSON.stringify(
        found.map(({ name, state }) => ({ file: join(folder, name), state })),
        null,
        2,
      ),
    );
    return;
  }
  const width = 'not generated'.length;
  const shown = found.map(({ name, state }) => {
    const word = told[state][isCheck ? 1 : 0].padEnd(width);
    const colour = state === 'same' ? 'dim' : state === 'foreign' ? 'red' : isCheck ? 'yellow' : 'green';
    return `${output.paint(colour, word)}  ${join(folder, name)}`;
  });
  output.lines(shown);
}
