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

/**
 * Characters that are not allowed; `never` if all are, or `'long'` if the name then has more than 32. Names are read eight
 * characters at a time, with valid ones added to fill the last eight.
 */
type Forbidden<S extends string, Allowed extends string> = Scan<`${S}_______`, Allowed, 0>;

type Scan<
  S extends string,
  Allowed extends string,
  Steps extends keyof NextStep,
> = S extends `${infer A}${infer B}${infer C}${infer D}${infer E}${infer F}${infer G}${infer H}${infer Rest}`
  ? [A | B | C | D | E | F | G | H] extends [Allowed]
    ? Scan<Rest, Allowed, NextStep[Steps]>
    : Exclude<A | B | C | D | E | F | G | H, Allowed>
  : Steps extends 5
    ? 'long'
    : never;

interface NextStep {
  readonly 0: 1;
  readonly 1: 2;
  readonly 2: 3;
  readonly 3: 4;
  readonly 4: 5;
  readonly 5: 5;
}

/** The name itself if it is a valid name of a method or signal, or if its type is only `string`. */
export type ValidMemberName<S extends string> = string extends S
  ? S
  : S extends ''
    ? InvalidName<'a member name cannot be empty'>
    : S extends `${Digit}${string}`
      ? InvalidName<`the member name "${S}" begins with a digit`>
      : Forbidden<S, InMember> extends infer Found
        ? [Found] extends [never]
          ? S
          : Found extends 'long'
            ? Short<S>
            : InvalidName<`the member name "${S}" has a character that is not among A-Z a-z 0-9 _`>
        : never;

/** The name itself if it is a valid interface name, or if its type is only `string`. */
export type ValidInterfaceName<S extends string> = string extends S
  ? S
  : S extends `${string}.${string}`
    ? S extends `.${string}` | `${string}.` | `${string}..${string}`
      ? InvalidName<`an element of the interface name "${S}" is empty`>
      : S extends `${Digit}${string}` | `${string}.${Digit}${string}`
        ? InvalidName<`an element of the interface name "${S}" begins with a digit`>
        : S extends 'org.freedesktop.DBus.Local'
          ? InvalidName<'the name is reserved: no message may carry it'>
          : Forbidden<S, InMember | '.'> extends infer Found
            ? [Found] extends [never]
              ? S
              : Found extends 'long'
                ? Short<S>
                : InvalidName<`the interface name "${S}" has a character that is not among A-Z a-z 0-9 _ .`>
            : never
    : InvalidName<`the interface name "${S}" needs at least two elements, as in "org.example"`>;

type Short<S extends string> = IsTooLong<S> extends true ? InvalidName<'a name can have at most 255 characters'> : S;
