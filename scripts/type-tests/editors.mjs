/**
 * Navigation in editors: "go to definition" leads from the member of a proxy to that of the class or definition, and the
 * parameters of a proxy have the names of the class's, or of the labels that generated definitions have, which also have
 * documentation. The language service answers, which editors use.
 */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compile, versionOf } from './compilers.mjs';
import { installedProject } from './installed.mjs';

export const program = `
import { defineInterface, type Emits, implement, type MessageBus, method, property, ServiceInterface, signal } from 'busbar';
declare const bus: MessageBus;
class Lamp extends ServiceInterface {
  @method({ in: 'su', out: 's' }) Dim(room: string, level: number): string { return room + level; }
  @signal({ args: 'u' }) Dimmed(level: number): Emits<number> { return level; }
  @property({ type: 'u' }) accessor Level = 0;
}
const Shelf = defineInterface('org.example.Shelf', {
  methods: { Find: { in: ['name:s'] } }, signals: { Full: {} }, properties: { Size: { type: 'u' } },
});
const Radio = defineInterface('org.example.Radio', {
  methods: {
    /**
     * Tunes to a station.
     *
     * @param station its name
     */
    Tune: {
      in: ['station:s', 'volume:u', 'options:a{sv}'] as [station: 'station:s', volume: 'volume:u', options: 'options:a{sv}'],
      out: ['name:s', 'level:u'] as [name: 'name:s', level: 'level:u'],
    },
  },
  signals: {
    /**
     * A station is heard.
     *
     * @param strength of the signal, in percent
     */
    Tuned: { args: ['station:s', 'strength:y'] as [station: 'station:s', strength: 'strength:y'] },
  },
  properties: {
    /** How loud it is. */
    Volume: { type: 'u' },
  },
});
const radio = bus.proxy(Radio, 'org.example', '/');
void radio.call.Tune('', 1, {});
void radio.with({ variants: 'wrap' }).call.Tune('', 1, {});
radio.on.Tuned((heard) => heard);
void [radio.once.Tuned, radio.watch.Tuned, radio.with({ variants: 'wrap' }).on.Tuned];
implement(Radio, { Tune(told) { return [told, 1]; }, Volume: 1 });
void radio.get.Volume;
const lamp = bus.proxy(Lamp, 'org.example', '/');
const shelf = bus.proxy(Shelf, 'org.example', '/');
void [lamp.call.Dim, lamp.on.Dimmed, lamp.once.Dimmed, lamp.watch.Dimmed, lamp.get.Level, lamp.set.Level];
void [shelf.call.Find, shelf.on.Full, shelf.get.Size, shelf.set.Size, lamp.with({ timeout: 5 }).call.Dim];
`;

/** The queries, and the place of each definition. */
const definitions = {
  'lamp.call.Dim': 'Dim(room',
  'lamp.on.Dimmed': 'Dimmed(level',
  'lamp.once.Dimmed': 'Dimmed(level',
  'lamp.watch.Dimmed': 'Dimmed(level',
  'lamp.get.Level': 'Level = 0',
  'lamp.set.Level': 'Level = 0',
  'lamp.with({ timeout: 5 }).call.Dim': 'Dim(room',
  'shelf.call.Find': 'Find: {',
  'shelf.on.Full': 'Full: {',
  'shelf.get.Size': 'Size: {',
  'shelf.set.Size': 'Size: {',
};
/** What is shown for a name, and its documentation. */
const TUNE =
  'Tune: (station: string, volume: number, options: WrittenDictionary<unknown>) => Promise<[name: string, level: number]>';
const HEARD = 'A station is heard.@param strength of the signal, in percent';
const shown = {
  'lamp.call.Dim': ['Dim(room: string, level: number): Promise<string>'],
  'radio.call.Tune': [TUNE, 'Tunes to a station.@param station its name'],
  "radio.with({ variants: 'wrap' }).call.Tune": [TUNE, 'Tunes to a station.'],
  'radio.on.Tuned': ['(station: string, strength: number) => unknown'],
  'radio.once.Tuned': ['Tuned: Once<[station: string, strength: number]>', HEARD],
  'radio.watch.Tuned': ['Tuned: Watch<[station: string, strength: number]>', HEARD],
  "radio.with({ variants: 'wrap' }).on.Tuned": ['Tuned: Listen<[station: string, strength: number]>', HEARD],
  'radio.get.Volume': ['Volume: () => Promise<number>', 'How loud it is.'],
};
/** What is shown while the arguments are written. */
const written = {
  'radio.call.Tune(': 'Tune(station: string, volume: number, options: WrittenDictionary<unknown>)',
  'radio.on.Tuned(': 'Tuned(listener: (station: string, strength: number) => unknown)',
};

/**
 * Queries the language service, and returns how many answers were right.
 *
 * @param folder a new one below the project
 * @param compiler the package.json of a TypeScript 5
 */
export function checkEditors(folder, compiler) {
  const project = installedProject(folder, { 'program.ts': program }, { noErrorTruncation: true });
  const { output: complaints } = compile(compiler, project);
  if (complaints !== '') throw new Error(`${folder} does not compile:\n${complaints}`);
  const file = join(folder, 'program.ts');
  const service = languageService(createRequire(compiler)('typescript'), folder, file);
  const outcome = { passed: 0, failed: 0 };
  const check = (what, found, expected) => {
    outcome[found.includes(expected) ? 'passed' : 'failed']++;
    if (!found.includes(expected)) console.log(`${what}: expected ${expected}, found ${found}`);
  };
  for (const [asked, expected] of Object.entries(definitions)) {
    const [definition] = service.getDefinitionAtPosition(file, placeOf(asked)) ?? [];
    const isHere = definition?.fileName === file;
    check(
      `definition of ${asked}`,
      isHere ? program.slice(definition.textSpan.start).split('\n')[0] : 'none',
      expected,
    );
  }
  for (const [asked, [expected, documentation = '']] of Object.entries(shown)) {
    const { displayParts, documentation: text, tags = [] } = service.getQuickInfoAtPosition(file, placeOf(asked)) ?? {};
    check(`parameters shown for ${asked}`, joined(displayParts), expected);
    const tagged = tags.map(({ name, text: about }) => `@${name} ${joined(about)}`).join('');
    check(`documentation of ${asked}`, joined(text) + tagged, documentation);
  }
  for (const [asked, expected] of Object.entries(written)) {
    const { items = [] } = service.getSignatureHelpItems(file, placeOf(asked) + 1, {}) ?? {};
    const signatures = items.map(({ prefixDisplayParts, parameters, suffixDisplayParts }) =>
      [
        prefixDisplayParts,
        ...parameters.flatMap(({ displayParts }, index) => [...(index > 0 ? [[{ text: ', ' }]] : []), displayParts]),
        suffixDisplayParts,
      ]
        .map(joined)
        .join(''),
    );
    check(`parameters while ${asked} is written`, signatures.join('\n'), expected);
  }
  console.log(
    `navigation in editors, TypeScript ${versionOf(compiler)}: ${outcome.passed} passed, ${outcome.failed} failed`,
  );
  return outcome;
}

const joined = (parts = []) => parts.map(({ text }) => text).join('');

/** The position of the last name of an expression in the last lines of the program. */
export const placeOf = (expression) => program.lastIndexOf(expression) + expression.length - 1;

function languageService(ts, folder, file) {
  const { config } = ts.readConfigFile(join(folder, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder);
  return ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => true,
    getCompilationSettings: () => options,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (name) => {
      const text = ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
  });
}
