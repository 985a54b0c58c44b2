/**
 * The grammar of interface and member names at compile time: the twin of `names.ts`, for names that are literal types.
 *
 * @see D-Bus specification, section "Valid Names"
 */
import type { IsTooLong } from './text-length.js';

declare const reason: unique symbol;

/** What an invalid name becomes: a type that no value is assignable to. Its type argument is the reason. */
export interface InvalidName<Reason extends string> {
  readonly [reason]: Reason;
}

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';
// biome-ignore format: a table
type Letter =
  | 'A' | 'B' | 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'L' | 'M'
  | 'N' | 'O' | 'P' | 'Q' | 'R' | 'S' | 'T' | 'U' | 'V' | 'W' | 'X' | 'Y' | 'Z'
  | 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm'
  | 'n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z';
type InMember = Letter | Digit | '_';

/** The first character that is not allowed; `never` if all are. Names are read four characters at a time. */
type Forbidden<
  S extends string,
  Allowed extends string,
> = S extends `${infer A}${infer B}${infer C}${infer D}${infer Rest}`
  ? [A | B | C | D] extends [Allowed]
    ? Forbidden<Rest, Allowed>
    : Exclude<A | B | C | D, Allowed>
  : S extends `${infer First}${infer Rest}`
    ? First extends Allowed
      ? Forbidden<Rest, Allowed>
      : First
    : never;

/** The name itself if it is a valid name of a method or signal, or if its type is only `string`. */
export type ValidMemberName<S extends string> = string extends S
  ? S
  : S extends ''
    ? InvalidName<'a member name cannot be empty'>
    : S extends `${Digit}${string}`
      ? InvalidName<`the member name "${S}" begins with a digit`>
      : [Forbidden<S, InMember>] extends [never]
        ? Short<S>
        : InvalidName<`the member name "${S}" has a character that is not among A-Z a-z 0-9 _`>;

/** The name itself if it is a valid interface name, or if its type is only `string`. */
export type ValidInterfaceName<S extends string> = string extends S
  ? S
  : S extends `${string}.${string}`
    ? S extends `.${string}` | `${string}.` | `${string}..${string}`
      ? InvalidName<`an element of the interface name "${S}" is empty`>
      : S extends `${Digit}${string}` | `${string}.${Digit}${string}`
        ? InvalidName<`an element of the interface name "${S}" begins with a digit`>
        : [Forbidden<S, InMember | '.'>] extends [never]
          ? S extends 'org.freedesktop.DBus.Local'
            ? InvalidName<'the name is reserved: no message may carry it'>
            : Short<S>
          : InvalidName<`the interface name "${S}" has a character that is not among A-Z a-z 0-9 _ .`>
    : InvalidName<`the interface name "${S}" needs at least two elements, as in "org.example"`>;

type Short<S extends string> = IsTooLong<S> extends true ? InvalidName<'a name can have at most 255 characters'> : S;
