/** A word that is not a value of its type, with the position, which the error shows. */
import { printable } from '../../base/printable.js';
import { stringWidth } from '../width.js';

/** Thrown while a word is read. */
export class ValueMisfit extends Error {
  readonly position: number;

  constructor(text: string, position: number) {
    super(text);
    this.position = position;
  }
}

/** The columns that are shown before and after the position. */
const BEFORE = 50;
const AFTER = 20;

/** The word, and a caret under the position. */
export function pointedAt(word: string, position: number): string {
  const from = position > BEFORE ? position - BEFORE : 0;
  const to = Math.min(word.length, position + AFTER);
  const before = `${from > 0 ? '…' : ''}${printable(word.slice(from, position))}`;
  const after = `${printable(word.slice(position, to))}${to < word.length ? '…' : ''}`;
  return `${before}${after}\n${' '.repeat(stringWidth(before))}^`;
}
