/**
 * Any text as one element of an object path, as sd-bus writes it (`sd_bus_path_encode`): letters and digits stay, and
 * every other byte becomes `_` and two hexadecimal digits. A digit at the beginning is written that way, too, and an
 * empty text is `_`. systemd, for instance, names the object of a unit so.
 */
import { InvalidArgumentError } from './errors.js';
import { quoted } from './names.js';

/**
 * Returns a text as one element of an object path. Different texts have different elements. Texts are UTF-8.
 *
 * @example
 * ```ts
 * const path = `/org/freedesktop/systemd1/unit/${pathEscape('dbus.service')}`;
 * console.log(path, pathUnescape('dbus_2eservice'));
 * ```
 * @throws {@link InvalidArgumentError} if `text` is not a string
 */
export function pathEscape(text: string): string {
  if (typeof text !== 'string') throw new InvalidArgumentError(`text: expected a string, got ${typeof text}`);
  if (text === '') return '_';
  let escaped = '';
  for (const [index, byte] of Buffer.from(text).entries()) {
    const isLetter = (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a);
    const isDigit = byte >= 0x30 && byte <= 0x39;
    if (isLetter || (isDigit && index > 0)) escaped += String.fromCharCode(byte);
    else escaped += `_${byte.toString(16).padStart(2, '0')}`;
  }
  return escaped;
}

/**
 * Returns the text that {@link pathEscape} made an element of a path of. As with sd-bus, a `_` without two hexadecimal
 * digits after it stays.
 *
 * @throws {@link InvalidArgumentError} if `element` is not an element of an object path
 */
export function pathUnescape(element: string): string {
  if (typeof element !== 'string' || !/^[A-Za-z0-9_]+$/.test(element)) {
    const given = typeof element === 'string' ? quoted(element) : typeof element;
    throw new InvalidArgumentError(`element: expected an element of an object path, got ${given}`);
  }
  if (element === '_') return '';
  const bytes: number[] = [];
  for (let at = 0; at < element.length; at++) {
    const digits = /^_[0-9A-Fa-f]{2}/.test(element.slice(at, at + 3)) ? element.slice(at + 1, at + 3) : undefined;
    bytes.push(digits === undefined ? element.charCodeAt(at) : Number.parseInt(digits, 16));
    if (digits !== undefined) at += 2;
  }
  return Buffer.from(bytes).toString();
}
