/**
 * The compilers. The newest one is a program without another interface. The others are loaded into this process, where
 * their projects share the files that all of them have: the declarations of the language, of Node.js and of the package.
 * They would take several times as long as programs, because a fresh process reads these files, and runs slowly at first.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The version of a compiler. @param compiler its package.json */
export function versionOf(compiler) {
  return JSON.parse(readFileSync(compiler, 'utf8')).version;
}

/**
 * Compiles a project as `tsc -p` does.
 *
 * @param compiler its package.json
 * @param project the configuration
 * @param folder where `tsc` runs: names of files are relative to it
 * @returns the output of `tsc`, which is empty if there are no errors, and the number of instantiations of types
 */
export function compile(compiler, project, folder = dirname(project)) {
  const ts = createRequire(compiler)('typescript');
  return ts.createProgram === undefined ? spawned(compiler, project, folder) : loaded(ts, project, folder);
}

function spawned(compiler, project, cwd) {
  const tsc = join(dirname(compiler), 'bin/tsc');
  const args = [tsc, '--pretty', 'false', '-p', project, '--extendedDiagnostics'];
  const { stdout } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  const statistics = stdout.search(/^Files: +\d+$/m);
  if (statistics < 0) return { output: stdout, instantiations: 0 };
  const instantiations = Number(/^Instantiations: +(\d+)$/m.exec(stdout)[1]);
  return { output: stdout.slice(0, statistics), instantiations };
}

/** By compiler: parsed declarations, by everything that determines how they are read. */
const shared = new Map();

function loaded(ts, project, folder) {
  const host = { ...ts.sys, getCurrentDirectory: () => folder, onUnRecoverableConfigFileDiagnostic: fail };
  const { options, fileNames, errors } = ts.getParsedCommandLineOfConfigFile(project, {}, host);
  const program = ts.createProgram({
    ...{ options, rootNames: fileNames, configFileParsingDiagnostics: errors },
    host: sharingHost(ts, options, folder),
  });
  const found = [...ts.getPreEmitDiagnostics(program)];
  if (!options.noEmit) found.push(...program.emit().diagnostics);
  const output = ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(found), {
    getCurrentDirectory: () => folder,
    getCanonicalFileName: (name) => name,
    getNewLine: () => '\n',
  });
  return { output, instantiations: program.getInstantiationCount() };

  function fail({ messageText }) {
    throw new Error(`${project}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`);
  }
}

function sharingHost(ts, options, folder) {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  const files = shared.get(ts) ?? new Map();
  shared.set(ts, files);
  const reading = ts.optionDeclarations
    .filter((one) => one.affectsSourceFile || one.affectsModuleResolution || one.affectsBindDiagnostics)
    .map(({ name }) => (name === 'paths' ? undefined : options[name]));
  return Object.assign(host, {
    getCurrentDirectory: () => folder,
    getSourceFile(name, how, ...rest) {
      if (!/\/(node_modules|dist)\/.*\.d\.[cm]?ts$/.test(name)) return getSourceFile.call(host, name, how, ...rest);
      const { languageVersion = how, impliedNodeFormat } = how;
      const key = JSON.stringify([name, languageVersion, impliedNodeFormat, reading]);
      if (!files.has(key)) files.set(key, getSourceFile.call(host, name, how, ...rest));
      return files.get(key);
    },
  });
}
