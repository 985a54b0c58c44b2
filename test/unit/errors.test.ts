// Errors of one copy of the package are recognized by another: a program may have two, through its dependencies.
import { inspect } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as classes from '../../src/base/error-classes.js';
import * as errors from '../../src/base/errors.js';

const test = suite('errors');

/** `DBusError` takes its name on the wire first, and some classes a further argument: all of them take text. */
type ErrorClass = new (...texts: string[]) => Error;

/** The classes of a copy, by name. */
function classesOf(copy: object): Map<string, ErrorClass> {
  const isClass = ([, value]: [string, unknown]) => typeof value === 'function' && value.prototype instanceof Error;
  return new Map(Object.entries(copy).filter(isClass) as [string, ErrorClass][]);
}

const make = (ErrorKind: ErrorClass) => new ErrorKind('org.example.Error.Copied', 'text', 'more');

test('an error of another copy of the package is an instance of its class, and of no other', async () => {
  const own = classesOf(errors);
  const copied = classesOf(await import(`${import.meta.resolve('../../src/base/errors.js')}?copy`));
  assert.ok(own.size > 20, `${own.size} classes`);
  for (const [name, OwnClass] of own) {
    const CopiedClass = copied.get(name) as ErrorClass;
    assert.is.not(CopiedClass, OwnClass, name);
    const foreign = make(CopiedClass);
    assert.instance(make(OwnClass), CopiedClass, name);
    for (const [other, OtherClass] of own) {
      assert.is(foreign instanceof OtherClass, make(OwnClass) instanceof OtherClass, `${name} of a copy, ${other}`);
    }
    assert.instance(foreign, OwnClass, name);
  }
});

test('an error that busbar made is distinguished from one that the program made, in every copy', async () => {
  const copied = await import(`${import.meta.resolve('../../src/base/errors.js')}?copy`);
  for (const [name, OwnClass] of classesOf(errors)) {
    const made = make(OwnClass);
    assert.ok(errors.isOfBusbar(made as errors.DBusError) && copied.isOfBusbar(made), name);
    const Published = (classes as never)[name] as ErrorClass;
    const ofProgram = make(Published);
    assert.not(errors.isOfBusbar(ofProgram as errors.DBusError) || copied.isOfBusbar(ofProgram), name);
    assert.instance(made, Published, name);
    assert.instance(ofProgram, OwnClass, name);
    assert.is(made.constructor, Published, name);
    assert.is(inspect(made).split('\n')[0], inspect(ofProgram).split('\n')[0], name);
  }
});

test.run();
