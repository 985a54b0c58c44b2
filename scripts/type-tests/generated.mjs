/**
 * The cost of generated definitions for the compiler: two hundred interfaces of services, each with a proxy of which a
 * method, a signal and a property are used. Instantiations are counted, which are the same on every machine.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from '../setup/report.mjs';
import { compile, versionOf } from './compilers.mjs';
import { installedProject } from './installed.mjs';

const COUNT = 200;
/**
 * For all of them together, by the first number of the compiler's version. TypeScript 7 checks with several threads, which
 * count the same types more than once.
 */
const BOUNDS = { 5: 592_000, 7: 960_000 };

const data = join(root, 'packages/interfaces/introspection');

/** The text of a file for each interface, and of the program that uses them. */
async function generatedProgram() {
  const { parseIntrospection } = await import(join(root, 'dist/index.js'));
  const { generateFiles } = await generator();
  const all = readdirSync(data)
    .filter((file) => file.endsWith('.xml'))
    .sort()
    .flatMap((file) => interfacesOf(parseIntrospection(readFileSync(join(data, file), 'utf8'))));
  const chosen = [...new Map(all.map((each) => [each.name, each])).values()].slice(0, COUNT);
  if (chosen.length < COUNT) throw new Error(`there are only ${chosen.length} interfaces in ${data}`);
  const files = generateFiles(chosen, 'client');
  const byName = new Map(chosen.map((each) => [`${each.name}.ts`, each]));
  const texts = Object.fromEntries(files.map(({ name, text }) => [name, text]));
  const uses = files.map(({ name, exports }, index) => use(name, exports, byName.get(name), index));
  const program = `import type { MessageBus } from 'busbar';\ndeclare const bus: MessageBus;\n${uses.join('')}`;
  return { ...texts, 'program.ts': program };
}

function interfacesOf({ interfaces, children }) {
  return [...interfaces.values(), ...[...children.values()].flatMap(interfacesOf)];
}

/** The generator is bundled into the command line alone. */
async function generator() {
  const entryPoints = [join(root, 'src/generator/generate.ts')];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: 'esm', write: false, logLevel: 'silent' });
  return await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`);
}

function use(file, name, { methods, signals, properties }, number) {
  const proxy = `proxy${number}`;
  const first = (members) => JSON.stringify([...members.keys()][0]);
  const readable = new Map([...properties].filter(([, { access }]) => access !== 'write'));
  return [
    `import { ${name} as I${number} } from './${file.replace(/\.ts$/, '.js')}';\n`,
    `const ${proxy} = bus.proxy(I${number}, 'org.example', '/');\n`,
    `export const proxyOf${number} = [${[
      ...(methods.size > 0 ? [`${proxy}.call[${first(methods)}]`] : []),
      ...(signals.size > 0 ? [`${proxy}.on[${first(signals)}]`] : []),
      ...(readable.size > 0 ? [`${proxy}.get[${first(readable)}]`] : []),
    ].join(', ')}] as const;\n`,
  ].join('');
}

/**
 * Compares the cost with the bound, and returns how many comparisons passed and failed.
 *
 * @param folder a new one below the project
 * @param compilers each as its package.json
 */
export async function checkGenerated(folder, compilers) {
  const outcome = { passed: 0, failed: 0 };
  const project = installedProject(folder, await generatedProgram());
  for (const compiler of compilers) {
    const { output, instantiations } = compile(compiler, project);
    if (output !== '') throw new Error(`${folder} does not compile:\n${output}`);
    const bound = BOUNDS[Number.parseInt(versionOf(compiler), 10)];
    const holds = instantiations > 0 && instantiations <= bound;
    outcome[holds ? 'passed' : 'failed']++;
    const cost = `${instantiations} instantiations (at most ${bound})`;
    console.log(`${COUNT} generated interfaces, TypeScript ${versionOf(compiler)}: ${cost}${holds ? '' : ': failed'}`);
  }
  return outcome;
}
