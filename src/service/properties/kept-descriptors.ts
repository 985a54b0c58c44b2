/**
 * The file descriptors in the value of a stored property. Descriptors that `Properties.Set` brings are lent to their
 * receiver. A stored property is the receiver: it keeps them while they are in its value, and closes them when another
 * value replaces it. Descriptors that the program assigned belong to the program.
 */
import { descriptorsIn } from '../../codec/close-descriptors.js';
import { type FileDescriptor, keepDescriptor } from '../../values/file-descriptor.js';

export class KeptDescriptors {
  readonly #mayHaveSome: boolean;
  #kept: ReadonlySet<FileDescriptor> = new Set();

  /** @param signature the signature of the property */
  constructor(signature: string) {
    this.#mayHaveSome = /[hv]/.test(signature);
  }

  /**
   * Records that the property has another value.
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
