/**
 * Values that hold file descriptors are not kept: they would stay open as long as the view, and several parts of a program
 * would share one descriptor without an owner. A program reads such a property with `get`, and owns what it gets.
 */
import { closeDescriptors, descriptorsIn } from '../codec/close-descriptors.js';
import type { Sent } from './property-values.js';

const none: readonly string[] = [];

/** A message that may have brought descriptors. */
interface Carrier {
  readonly hasDescriptors: boolean;
}

/** Removes the values that hold descriptors, and closes those. Returns the names of their properties. */
export function removeDescriptors({ hasDescriptors }: Carrier, sent: Sent): readonly string[] {
  if (!hasDescriptors) return none;
  const names = Object.keys(sent).filter((name) => descriptorsIn(sent[name]).size > 0);
  for (const name of names) {
    closeDescriptors(sent[name]);
    delete sent[name];
  }
  return names;
}
