/** What a command is: a file in `commands/` exports one, and `commands.ts` lists it. */
import type { Session } from './session.js';

/** A word after the name of a command. */
export interface CommandArgument {
  /** In capitals. */
  readonly name: string;
  readonly docs: string;
  readonly optional?: boolean;
  /** The last one may stand for any number of words. */
  readonly variadic?: boolean;
  /** What completes it in a shell. */
  readonly complete?: Completion;
}

/** An option of one command. Those of all commands are in `common-options.ts`. */
export interface CommandOption {
  /** As in help: `-s, --signature SIGNATURE`, or `--xml` for an option without a value. */
  readonly flags: string;
  readonly docs: string;
  readonly complete?: Completion;
}

/** What a shell offers for a word: values of the bus, some fixed words, files, or nothing. */
type Completion =
  | 'name'
  /** A name, and then paths. */
  | 'object'
  | 'path'
  | 'interface'
  | 'method'
  | 'property'
  | 'writable-property'
  | 'file'
  | readonly string[];

/** The values of options by their long names in camel case: `dryRun` for `--dry-run`. */
export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

export interface Command {
  readonly name: string;
  /** One line for the list of commands: a verb and its object. */
  readonly summary: string;
  /** Further paragraphs of the help. */
  readonly docs?: string;
  readonly arguments: readonly CommandArgument[];
  readonly options: readonly CommandOption[];
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, docs: string])[];
  /**
   * Runs it. A failure is thrown: a `CommandFailure`, or any error of busbar.
   *
   * @param words one for each argument, in order; those of a variadic argument follow
   */
  run(session: Session, words: readonly string[], options: OptionValues): Promise<void>;
}
