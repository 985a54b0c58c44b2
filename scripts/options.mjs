/**
 * The options of the commands of this project. All of them have `--help`, which prints the usage. An unknown option, or a
 * value that an option cannot have, is one line and exit code 2.
 */
import util from 'node:util';

/**
 * Returns the options of this process, and the words among its arguments.
 *
 * @param usage the text for `--help`
 * @param options as `parseArgs` takes them, without `--help`
 * @param hasWords whether the command takes words besides options
 * @param args the arguments, unless they are those of the process
 */
export function readOptions(usage, options = {}, hasWords = false, args = process.argv.slice(2)) {
  // Node.js before 18.3 does not have it: the setup, which comes next, asks for a newer one.
  if (util.parseArgs === undefined) return { values: {}, words: [] };
  const known = { ...options, help: { type: 'boolean', default: false } };
  try {
    const { values, positionals } = util.parseArgs({ args, options: known, allowPositionals: hasWords });
    if (!values.help) return { values, words: positionals };
  } catch (error) {
    // The first sentence names the mistake; the others explain the arguments of any program.
    const names = Object.keys(known).map((name) => `--${name}`);
    refuse(`${error.message.split(/\.\s/)[0]}; known: ${names.join(', ')}`);
  }
  console.log(usage);
  process.exit(0);
}

/** Ends the process because of its arguments. */
export function refuse(problem) {
  console.error(problem);
  process.exit(2);
}
