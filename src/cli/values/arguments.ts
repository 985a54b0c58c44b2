/** The words of a command as the values of a message, by the signature of a member. Errors point at the word. */
import type { ArgumentDescription } from '../../index.js';
import { UsageFailure } from '../failure.js';
import { library } from '../library.js';
import { quoted, withHints } from '../words.js';
import { FlatReader, MissingWord } from './flat.js';
import { pointedAt, ValueMisfit } from './misfit.js';
import { readWord } from './read.js';

export interface Values {
  readonly signature: string;
  readonly body: readonly unknown[];
}

/** What takes the values: a method, a signal or a property. */
export interface Taker {
  /** What it is called in errors. */
  readonly name: string;
  readonly arguments: readonly ArgumentDescription[];
}

/**
 * The values of words for a known member: a word for each argument, or what busctl takes, which begins with the signature.
 *
 * @throws {@link UsageFailure}
 */
export function readArguments(taker: Taker, words: readonly string[]): Values {
  const signature = taker.arguments.map((argument) => argument.signature).join('');
  const types = library.parseSignature(signature);
  if (words.length === types.length) {
    const body = types.map((type, index) =>
      pointing(words[index] as string, labelOf(taker.arguments[index], index), () =>
        readWord(type, words[index] as string),
      ),
    );
    return { signature, body };
  }
  if (words[0] === signature && words.length > 1) return valuesOf(signature, words.slice(1));
  throw new UsageFailure(withHints(`${taker.name} takes ${countOf(types.length)}, got ${words.length}`, shape(taker)));
}

/**
 * The values of words for a signature, as busctl takes them.
 *
 * @throws {@link UsageFailure}
 */
export function valuesOf(signature: string, words: readonly string[]): Values {
  const types = typesOf(signature);
  const reader = new FlatReader(words);
  try {
    return { signature, body: reader.values(types) };
  } catch (error) {
    const index = reader.taken - 1;
    if (error instanceof MissingWord) {
      const after = index < 0 ? 'there is no word' : `the words end after ${quoted(words[index] as string)}`;
      throw new UsageFailure(`${after}: expected a value of type ${error.signature}, of the signature ${signature}`);
    }
    return pointing(words[index] as string, `word ${index + 1} of the values (${signature})`, () => {
      throw error;
    });
  }
}

/** The values of words that begin with their signature, as in busctl; no words are no values. */
export function valuesWithSignature(words: readonly string[]): Values {
  const [signature = '', ...rest] = words;
  return valuesOf(signature, rest);
}

function typesOf(signature: string) {
  try {
    return library.parseSignature(signature);
  } catch (error) {
    throw new UsageFailure(
      withHints(
        `${quoted(signature)} is not a signature: ${(error as Error).message}`,
        'without introspection data, the values begin with their signature, as in busctl: su text 5',
      ),
    );
  }
}

/** Runs a function, and shows the place of a misfit in the word. */
function pointing<Value>(word: string, label: string, read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ValueMisfit)) throw error;
    throw new UsageFailure(`${label}: ${error.message}\n${pointedAt(word, error.position)}`);
  }
}

function labelOf(argument: ArgumentDescription | undefined, index: number): string {
  const { name, signature } = argument as ArgumentDescription;
  return name === undefined ? `argument ${index + 1} (${signature})` : `argument ${index + 1}, ${name} (${signature})`;
}

function countOf(count: number): string {
  return count === 0 ? 'no arguments' : count === 1 ? 'one argument' : `${count} arguments`;
}

function shape({ arguments: all }: Taker): string {
  if (all.length === 0) return '';
  return `expected: ${all.map(({ name, signature }) => (name === undefined ? signature : `${name} (${signature})`)).join(', ')}`;
}
