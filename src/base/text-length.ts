/** The length of texts at compile time. Names and signatures have at most 255 characters, each of one byte. */

/**
 * Whether a text has more than 255 characters. The cost of a pattern is its length, also for a text that is shorter, and
 * most texts are short.
 */
export type IsTooLong<S extends string> =
  Without8<S> extends infer S8 extends string
    ? Without24<S8> extends infer S32 extends string
      ? Without32<S32> extends infer S64 extends string
        ? Without64<S64> extends infer S128 extends string
          ? Without64<S128> extends infer S192 extends string
            ? Without64<S192> extends string
              ? true
              : false
            : false
          : false
        : false
      : false
    : false;

/** Whether a literal text has fewer than 32 characters. */
export type IsShort<S extends string> = string extends S
  ? false
  : Without8<S> extends infer S8 extends string
    ? Without24<S8> extends string
      ? false
      : true
    : true;

// What follows the first characters; `undefined` if there are fewer. A pattern takes one character at a time.
// biome-ignore format: one pattern
type Without8<S extends string> =
  S extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer Rest}`
    ? Rest
    : undefined;
// biome-ignore format: one pattern
type Without24<S extends string> =
  S extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer _8}${infer _9}${infer _10}${infer _11}${infer _12}${infer _13}${infer _14}${infer _15}${infer _16}${infer _17}${infer _18}${infer _19}${infer _20}${infer _21}${infer _22}${infer _23}${infer Rest}`
    ? Rest
    : undefined;
// biome-ignore format: one pattern
type Without32<S extends string> =
  S extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer _8}${infer _9}${infer _10}${infer _11}${infer _12}${infer _13}${infer _14}${infer _15}${infer _16}${infer _17}${infer _18}${infer _19}${infer _20}${infer _21}${infer _22}${infer _23}${infer _24}${infer _25}${infer _26}${infer _27}${infer _28}${infer _29}${infer _30}${infer _31}${infer Rest}`
    ? Rest
    : undefined;
// biome-ignore format: one pattern
type Without64<S extends string> =
  S extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer _8}${infer _9}${infer _10}${infer _11}${infer _12}${infer _13}${infer _14}${infer _15}${infer _16}${infer _17}${infer _18}${infer _19}${infer _20}${infer _21}${infer _22}${infer _23}${infer _24}${infer _25}${infer _26}${infer _27}${infer _28}${infer _29}${infer _30}${infer _31}${infer _32}${infer _33}${infer _34}${infer _35}${infer _36}${infer _37}${infer _38}${infer _39}${infer _40}${infer _41}${infer _42}${infer _43}${infer _44}${infer _45}${infer _46}${infer _47}${infer _48}${infer _49}${infer _50}${infer _51}${infer _52}${infer _53}${infer _54}${infer _55}${infer _56}${infer _57}${infer _58}${infer _59}${infer _60}${infer _61}${infer _62}${infer _63}${infer Rest}`
    ? Rest
    : undefined;
