/** Values with a shape on their way to an encoder, which finds them where a container is expected. */
import type { Shape, Shapes } from '../signature/shape.js';

/** A value of the program that is written as its shape says. */
export class ShapedValue {
  readonly shape: Shape;
  readonly value: unknown;

  constructor(shape: Shape, value: unknown) {
    this.shape = shape;
    this.value = value;
  }
}

/** The value with its shape, if it has one. `undefined` remains `undefined`. */
export function shaped(shape: Shape | undefined, value: unknown): unknown {
  return shape === undefined || value === undefined ? value : new ShapedValue(shape, value);
}

/** The values of a body with their shapes. */
export function shapedBody(shapes: Shapes, values: readonly unknown[]): readonly unknown[] {
  return Array.isArray(values) ? values.map((value, index) => shaped(shapes[index], value)) : values;
}
