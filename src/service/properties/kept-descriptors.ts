/**
 * The descriptors in the value of a property that is stored here. What `Properties.Set` brings is on loan to whoever gets
 * it; a stored property is the one that does, so it keeps them for as long as they are in its value, and closes them when
 * another value takes their place. Descriptors that the program itself assigned are the program's.
 */
import { descriptorsIn } from '../../codec/close-descriptors.js';
import { type FileDescriptor, keepDescriptor } from '../../values/file-descriptor.js';

export class KeptDescriptors {
  readonly #mayHaveSome: boolean;
  #kept: ReadonlySet<FileDescriptor> = new Set();

  /** @param signature the property's */
  constructor(signature: string) {
    this.#mayHaveSome = /[hv]/.test(signature);
  }

  /**
   * The property has another value.
   *
   * @param isReceived whether it came from the bus
   */
  replace(value: unknown, isReceived: boolean): void {
    if (!this.#mayHaveSome || (!isReceived && this.#kept.size === 0)) return;
    const before = this.#kept;
    const now = descriptorsIn(value);
    this.#kept = new Set([...now].filter((descriptor) => before.has(descriptor) || keepDescriptor(descriptor)));
    for (const descriptor of before) if (!now.has(descriptor)) descriptor.close();
  }
}
