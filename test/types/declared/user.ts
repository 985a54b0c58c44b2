/** A program that imports the library by its declarations has the same types. */
import type { Variant } from 'busbar';
import {
  dimmed,
  emit,
  type five,
  type found,
  lamp,
  properties,
  shelf,
  type shelves,
  type typed,
  type wrapping,
} from './library.js';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<_Assertion extends true>(): void;

is<Equal<ReturnType<typeof lamp.call.Dim>, Promise<bigint>>>();
is<Equal<ReturnType<typeof lamp.get.Options>, Promise<Record<string, unknown>>>>();
is<Equal<ReturnType<typeof wrapping.get.Options>, Promise<Record<string, Variant>>>>();
is<Equal<ReturnType<typeof shelves.call.Find>, Promise<number[]>>>();
is<Equal<ReturnType<typeof typed.call.Find>, Promise<ReturnType<typeof Int32Array.of>>>>();
is<Equal<ReturnType<typeof found>, Promise<ReturnType<typeof Int32Array.of>>>>();
is<Equal<typeof five, Variant<'u'>>>();
dimmed((level) => is<Equal<typeof level, bigint>>());
emit.Full([1, 2]);
properties.Size = 5;
shelf.emitPropertiesChanged(['Size']);
lamp.call.Dim(5);
// @ts-expect-error a string is not a number
lamp.call.Dim('5');
// @ts-expect-error nor there
emit.Full('5');
// @ts-expect-error a slip
shelf.emitPropertiesChanged(['Sise']);
