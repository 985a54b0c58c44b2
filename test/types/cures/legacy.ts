/** Programs that do not compile with `experimentalDecorators`, as in cures.ts. */
import { property, ServiceInterface } from 'busbar';

export class Legacy extends ServiceInterface {
  // says: make it public: clients use it
  @property({ type: 's' })
  protected Hidden = '';

  // says: its value cannot be sent as "s": declare", string
  @property({ type: 's' })
  Field = 5;
}
