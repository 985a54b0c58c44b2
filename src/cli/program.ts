/** The command line as a whole: parses it, runs the command that it names, and turns every failure into an exit code. */
import { Argument, CommanderError, type Help, Option, Command as Parser } from 'commander';
import type { Command, CommandArgument, CommandOption, OptionValues } from './command.js';
import { commands } from './commands.js';
import { commonOptions } from './common-options.js';
import { complete } from './complete.js';
import { ExitCode, explain, UsageFailure } from './failure.js';
import { loadLibrary } from './library.js';
import { hasColours, styled } from './output.js';
import { type CommonOptions, Session } from './session.js';
import { nameHint, quoted, withHints } from './words.js';

const SUMMARY = 'Explores and uses the services of a D-Bus message bus.';
const EXIT_CODES =
  'Exit codes: 0 done, 1 an error as the answer or nothing found, 2 wrong usage,\n3 no connection, 124 no answer in time, 130 interrupted.';

/** Runs the command that the words name, and resolves with the exit code. Prints errors. */
export async function runProgram(words: readonly string[], version: string): Promise<number> {
  if (words[0] === '__complete') {
    await complete(commands, words.slice(1));
    return ExitCode.Ok;
  }
  const running: { session?: Session } = {};
  const interrupt = () => running.session?.interrupt();
  const program = makeProgram(version, async (command, parser, given) => {
    const session = new Session(parser.optsWithGlobals<CommonOptions>());
    running.session = session;
    await loadLibrary();
    await command.run(session, wordsOf(given), parser.opts<OptionValues>());
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  try {
    const [first, second] = words.filter((word) => !word.startsWith('-'));
    const isKnown = ['help', undefined, ...commands.map(({ name }) => name)].includes(second);
    if (first === 'help' && !isKnown) throw new UsageFailure(unknownCommand(second as string));
    await program.parseAsync(words, { from: 'user' });
    return ExitCode.Ok;
  } catch (error) {
    return failed(error);
  } finally {
    await running.session?.close();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupt);
  }
}

/** Prints an error, and returns its exit code. */
export function failed(error: unknown): number {
  // The parser has printed its own errors, and help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
  const known = explain(error);
  const text = known?.text ?? (error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (known?.exitCode !== ExitCode.Interrupted) process.stderr.write(`${errorText(text)}\n`);
  return known?.exitCode ?? ExitCode.Failed;
}

/** The text of an error, as it is printed. */
function errorText(text: string): string {
  const [first = '', ...hints] = text.split('\n');
  const label = hasColours(process.stderr) ? styled(['bold', 'red'], 'busbar:') : 'busbar:';
  return [`${label} ${first}`, ...hints.map((hint) => `  ${hint}`)].join('\n');
}

function unknownCommand(name: string): string {
  const names = commands.map((command) => command.name);
  return withHints(`there is no command ${quoted(name)}`, nameHint(name, names));
}

type Run = (command: Command, parser: Parser, given: readonly unknown[]) => Promise<void>;

/** The parser of everything. */
function makeProgram(version: string, run: Run): Parser {
  const program = configured(new Parser('busbar'))
    .description(SUMMARY)
    .usage('COMMAND …')
    .version(version, '-V, --version', 'print the version')
    .addHelpCommand('help [COMMAND]', 'shows the help of a command')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .allowExcessArguments()
    // Without a command: the first thing that most people try.
    .action(() => {
      const [name] = program.args;
      if (name === undefined) program.outputHelp();
      else throw new UsageFailure(unknownCommand(name));
    });
  for (const option of commonOptions) program.addOption(optionOf(option));
  for (const command of commands) program.addCommand(parserOf(command, run));
  return program;
}

function parserOf(command: Command, run: Run): Parser {
  const parser = configured(new Parser(command.name)).description(sentence(command)).summary(command.summary);
  for (const argument of command.arguments) parser.addArgument(argumentOf(argument));
  for (const option of command.options) parser.addOption(optionOf(option));
  parser.usage([...command.arguments.map(shape), '[OPTIONS]'].join(' '));
  parser.addHelpText('after', () => examples(command));
  parser.action((...given: unknown[]) => run(command, parser, given.slice(0, command.arguments.length)));
  return parser;
}

function configured(parser: Parser): Parser {
  return parser
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: Math.min(process.stdout.columns || 100, 100),
      styleTitle: (text) => (hasColours(process.stdout) ? styled('bold', text) : text),
      optionTerm: ({ flags }: Option) => flags,
      subcommandTerm: (each) => each.name(),
      argumentTerm: (each) => each.name(),
    } satisfies Partial<Help>)
    .configureOutput({ outputError: (text, write) => write(`${errorText(usageText(text))}\n`) })
    .helpOption('-h, --help', 'show this help')
    .showSuggestionAfterError();
}

/** The errors of the parser are written like all others. */
function usageText(text: string): string {
  const isOption = /^error: unknown option/.test(text) && !/Did you mean/.test(text);
  const hint = isOption ? '\nwrite -- before values that begin with a dash' : '';
  return `${text.trim()}${hint}`
    .replace(/^error: /, '')
    .replace(/\(Did you mean (one of )?(.*)\?\)/, (_, several, names) =>
      several ? `did you mean one of these: ${names}?` : `did you mean ${names}?`,
    );
}

function sentence({ summary, docs }: Command): string {
  const first = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return docs === undefined ? first : `${first}\n\n${docs}`;
}

function examples(command: Command): string {
  const lines = command.examples.flatMap(([line, docs]) => [`  ${line}`, `      ${docs}`]);
  const title = hasColours(process.stdout) ? styled('bold', 'Examples:') : 'Examples:';
  return ['', title, ...lines].join('\n');
}

function shape({ name, optional, variadic }: CommandArgument): string {
  const word = variadic ? `${name}…` : name;
  return optional ? `[${word}]` : word;
}

function argumentOf({ name, docs, optional, variadic }: CommandArgument): Argument {
  const word = variadic ? `${name}...` : name;
  return new Argument(optional ? `[${word}]` : `<${word}>`, docs);
}

/** In the tables a value is a word in capitals, which the parser wants in brackets. */
function optionOf({ flags, docs }: CommandOption): Option {
  const option = new Option(flags.replace(/ ([A-Z]+)$/, ' <$1>'), docs);
  option.flags = flags;
  return option;
}

/** The words of all arguments in order; the last argument may have several, and optional ones none. */
function wordsOf(given: readonly unknown[]): string[] {
  return given.flatMap((value) => (value === undefined ? [] : (value as string | string[])));
}
