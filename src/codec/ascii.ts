/**
 * Makes strings from short ASCII. A call into the runtime takes about 50 ns, however short the text is. `fromCharCode`
 * with one argument for each character takes 10 to 37 ns, but only if the arguments are written out: with `apply` it is
 * slower than the runtime from 12 characters on.
 */

/** With more characters, the runtime is as fast. */
export const SHORT_MAXIMUM = 24;

const NOT_ASCII = 0x80808080;

/**
 * Whether a text has only ASCII characters, determined from the words it is in. The bytes after the text in the last
 * word count too, so the answer may be false for an ASCII text. After a text there are its NUL and, nearly always,
 * padding.
 *
 * @param start a multiple of 4
 */
export function isAscii(words: Int32Array, start: number, end: number): boolean {
  const behind = (end + 3) >>> 2;
  let bits = 0;
  for (let at = start >>> 2; at < behind; at++) bits |= words[at] as number;
  return (bits & NOT_ASCII) === 0;
}

/** Reads an ASCII text of at most {@link SHORT_MAXIMUM} characters. */
export function readShortAscii(bytes: Uint8Array, start: number, length: number): string {
  const of = String.fromCharCode;
  if (length === 0) return '';
  const c0 = bytes[start] as number;
  const c1 = bytes[start + 1] as number;
  const c2 = bytes[start + 2] as number;
  const c3 = bytes[start + 3] as number;
  if (length === 1) return of(c0);
  if (length === 2) return of(c0, c1);
  if (length === 3) return of(c0, c1, c2);
  if (length === 4) return of(c0, c1, c2, c3);
  const c4 = bytes[start + 4] as number;
  const c5 = bytes[start + 5] as number;
  const c6 = bytes[start + 6] as number;
  const c7 = bytes[start + 7] as number;
  if (length === 5) return of(c0, c1, c2, c3, c4);
  if (length === 6) return of(c0, c1, c2, c3, c4, c5);
  if (length === 7) return of(c0, c1, c2, c3, c4, c5, c6);
  if (length === 8) return of(c0, c1, c2, c3, c4, c5, c6, c7);
  const c8 = bytes[start + 8] as number;
  const c9 = bytes[start + 9] as number;
  const c10 = bytes[start + 10] as number;
  const c11 = bytes[start + 11] as number;
  if (length === 9) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8);
  if (length === 10) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
  if (length === 11) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10);
  if (length === 12) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11);
  const c12 = bytes[start + 12] as number;
  const c13 = bytes[start + 13] as number;
  const c14 = bytes[start + 14] as number;
  const c15 = bytes[start + 15] as number;
  if (length === 13) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12);
  if (length === 14) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13);
  if (length === 15) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14);
  if (length === 16) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15);
  const c16 = bytes[start + 16] as number;
  const c17 = bytes[start + 17] as number;
  const c18 = bytes[start + 18] as number;
  const c19 = bytes[start + 19] as number;
  if (length === 17) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16);
  if (length === 18) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17);
  if (length === 19) return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18);
  if (length === 20)
    return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19);
  const c20 = bytes[start + 20] as number;
  const c21 = bytes[start + 21] as number;
  const c22 = bytes[start + 22] as number;
  const c23 = bytes[start + 23] as number;
  if (length === 21)
    return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20);
  if (length === 22)
    return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21);
  if (length === 23)
    return of(c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22);
  return of(
    c0,
    c1,
    c2,
    c3,
    c4,
    c5,
    c6,
    c7,
    c8,
    c9,
    c10,
    c11,
    c12,
    c13,
    c14,
    c15,
    c16,
    c17,
    c18,
    c19,
    c20,
    c21,
    c22,
    c23,
  );
}
