// Mistakes in definitions are refused where they are written, with the most similar valid name.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { InvalidArgumentError } from '../../src/base/errors.js';
import { interfaceDescription } from '../../src/interface/build.js';
import { defineInterface } from '../../src/interface/define-interface.js';
import { introspectionXml } from '../../src/interface/xml/generate.js';
import { describe } from '../../src/service/class/describe.js';
import { method } from '../../src/service/class/method.js';
import { property } from '../../src/service/class/property.js';
import { ServiceInterface } from '../../src/service/class/service-interface.js';
import { signal } from '../../src/service/class/signal.js';
import { implement } from '../../src/service/implement/implement.js';
import { thrown } from '../helpers/rejection.js';

const test = suite('definition misuse');

function refuses(define: () => unknown, text: string): void {
  const error = thrown(define);
  assert.instance(error, InvalidArgumentError);
  assert.match((error as Error).message, text);
}

const define = (members: unknown) => () => defineInterface('org.example.Any', members as object);

test('misspelt options are refused, with the most similar name', () => {
  refuses(define({ properties: { P: { type: 's', acces: 'read' } } }), 'did you mean access?');
  refuses(define({ properties: { P: { type: 's', emit: false } } }), 'did you mean emits?');
  refuses(define({ methods: { M: { in: 's', noRepli: true } } }), 'did you mean noReply?');
  refuses(define({ methods: { M: { int: 's' } } }), 'did you mean in?');
  refuses(define({ signals: { S: { args: 's', foo: 1 } } }), '"foo"');
  refuses(define({ signals: { S: { arg: 's' } } }), 'did you mean args?');
  refuses(define({ method: {} }), 'did you mean methods?');
  refuses(() => method({ contxt: true } as object), 'did you mean context?');
  refuses(() => property({ type: 's', acess: 'read' } as { type: 's' }), 'did you mean access?');
  refuses(() => signal({ nam: 'Other' } as object), 'did you mean name?');
});

test('members that are not objects are refused, by name', () => {
  refuses(define(null), 'null');
  refuses(define({ methods: 5 }), 'method');
  refuses(define({ methods: { M: 5 } }), 'M');
  refuses(define({ methods: { M: { in: 's', variants: 'outermost' } } }), 'variants');
});

test('a writable property cannot be constant', () => {
  refuses(define({ properties: { P: { type: 's', access: 'readwrite', emits: 'const' } } }), 'const');
});

test('an invalid definition, description or change is refused', () => {
  refuses(() => implement(undefined as never, {}), 'definition');
  refuses(() => introspectionXml(5 as never), 'node');
  const made = implement(defineInterface('org.example.Any', {}), {});
  refuses(() => made.emitPropertiesChanged(undefined as never), 'changes');
  refuses(() => made.emitPropertiesChanged('x' as never), 'changes');
});

test('names that the specification reserves cannot be implemented', () => {
  refuses(() => interfaceDescription('org.freedesktop.DBus.Local'), 'reserved');
  for (const name of ['Properties', 'Introspectable', 'Peer', 'ObjectManager']) {
    const standard = `org.freedesktop.DBus.${name}`;
    const definition = defineInterface(standard, {});
    assert.is(definition.name, standard, 'a proxy may have it described');
    refuses(() => implement(definition, {}), 'busbar provides');
    class Standard extends ServiceInterface {
      constructor() {
        super(standard);
      }
    }
    refuses(() => new Standard(), 'busbar provides');
    assert.is(describe(Standard).name, standard);
  }
});

test('a name that depends on arguments of the constructor must be declared', () => {
  class Parameter extends ServiceInterface {
    constructor(kind: string) {
      super(`a.b.${kind}`);
    }
  }
  class Inherits extends Parameter {}
  class Passes extends ServiceInterface {
    constructor(name: string) {
      super(name);
    }
  }
  class InheritsPasses extends Passes {}
  class Knows extends Passes {
    constructor() {
      super('org.example.Knows');
    }
  }
  for (const each of [Parameter, Inherits, Passes, InheritsPasses]) {
    refuses(() => describe(each), 'static readonly interfaceName');
  }
  assert.is(describe(Knows).name, 'org.example.Knows');
});

test.run();
