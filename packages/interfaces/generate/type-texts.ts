/** Precise types as TypeScript: each is a constant of the file, which the members refer to. */
import { objectKey, string } from '../../../src/generator/literals.js';
import { type Shape, type ShapedType, shapedType } from '../../../src/signature/shape.js';
import type { PreciseType } from '../families/family.js';

/** The constants of a file. */
export class TypeConstants {
  /** The names of the constants by their text. */
  readonly #names = new Map<string, string>();

  /**
   * The name of the constant for a type.
   *
   * @param wish the name that it gets if the type is new
   * @param argument the name of the argument, if the type is that of one
   */
  nameOf(type: PreciseType, signature: string, wish: string, argument?: string): string {
    const text = typeof type === 'string' ? shapeText(type, signature, argument) : unionText(type, signature, argument);
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    const taken = new Set(this.#names.values());
    let name = wish;
    for (let count = 2; taken.has(name); count++) name = `${wish}${count}`;
    this.#names.set(text, name);
    return name;
  }

  /** The lines of the constants. */
  *lines(): Iterable<string> {
    for (const [text, name] of this.#names) yield `const ${name} = /* @__PURE__ */ ${text};`;
  }
}

function unionText(texts: readonly string[], signature: string, argument: string | undefined): string {
  if (signature !== 's') throw new Error(`texts of the type ${signature}`);
  const type = string(argument === undefined ? signature : `${argument}:${signature}`);
  return `type<${type}, ${texts.map((text) => string(text)).join(' | ')}>(${type})`;
}

function shapeText(text: string, signature: string, argument: string | undefined): string {
  const type = shapedType(text);
  if (type.shape === undefined) throw new Error(`${text} is no dictionary with known keys`);
  if (type.signature !== signature) throw new Error(`the type ${type.signature} is not the recorded ${signature}`);
  return callText(type.signature, type.shape, argument);
}

function callText(signature: string, shape: Shape, argument?: string): string {
  if (shape.kind === 'dict') {
    const entries = [...shape.entries].map(([key, entry]) => {
      return `${objectKey(`${key}${entry.optional ? '?' : ''}`)}: ${typeText(entry)}`;
    });
    if (shape.others !== undefined) entries.push(`'...': ${typeText(shape.others)}`);
    const second = argument === undefined ? signature : `${argument}:${signature}`;
    return `dict({ ${entries.join(', ')} }${second === 'a{sv}' ? '' : `, ${string(second)}`})`;
  }
  const name = argument === undefined ? '' : `, ${string(argument)}`;
  if (shape.kind === 'array') return `arrayOf(${typeText(shape.element)}${name})`;
  return `structOf([${shape.fields.map((field) => typeText(field)).join(', ')}]${name})`;
}

function typeText({ signature, shape }: ShapedType): string {
  return shape === undefined ? string(signature) : callText(signature, shape);
}
