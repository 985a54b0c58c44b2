/** A decorated class, in the default dialect of a compiler. */
import { type Emits, method, property, ServiceInterface, signal } from 'busbar';

export class Files extends ServiceInterface {
  constructor() {
    super('org.example.Files');
  }

  @method({ out: ['data:ay'] })
  Bytes(): Uint8Array {
    return Buffer.of(1);
  }

  // @ts-expect-error an array of bytes is not a number
  @method({ out: ['data:ay'] })
  Wrong(): number {
    return 1;
  }

  @property({ type: 'u' })
  accessor Mode = 0;

  @signal({ args: ['path:s'] })
  Written(path: string): Emits<string> {
    return path;
  }
}
