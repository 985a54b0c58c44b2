/** The length of texts at compile time. Names and signatures have at most 255 characters, each of one byte. */

/** Whether a text has more than 255 characters. Short texts cost a single step. */
export type IsTooLong<S extends string> =
  Without64<S> extends infer S1 extends string
    ? Without64<S1> extends infer S2 extends string
      ? Without64<S2> extends infer S3 extends string
        ? Without64<S3> extends string
          ? true
          : false
        : false
      : false
    : false;

/** What follows the first 64 characters; `undefined` if there are fewer. A pattern takes one character at a time. */
// biome-ignore format: one pattern
type Without64<S extends string> =
  S extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer _8}${infer _9}${infer _10}${infer _11}${infer _12}${infer _13}${infer _14}${infer _15}${infer _16}${infer _17}${infer _18}${infer _19}${infer _20}${infer _21}${infer _22}${infer _23}${infer _24}${infer _25}${infer _26}${infer _27}${infer _28}${infer _29}${infer _30}${infer _31}${infer _32}${infer _33}${infer _34}${infer _35}${infer _36}${infer _37}${infer _38}${infer _39}${infer _40}${infer _41}${infer _42}${infer _43}${infer _44}${infer _45}${infer _46}${infer _47}${infer _48}${infer _49}${infer _50}${infer _51}${infer _52}${infer _53}${infer _54}${infer _55}${infer _56}${infer _57}${infer _58}${infer _59}${infer _60}${infer _61}${infer _62}${infer _63}${infer Rest}`
    ? Rest
    : undefined;
