// Text of peers, as it is printed.
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { quoted } from '../../src/base/names.js';
import { printable, printableStack } from '../../src/base/printable.js';

const test = suite('printable text');

/** Characters that must not reach a terminal, expressed in another way than in the code. */
function isCommand(code: number): boolean {
  return (code < 32 && code !== 9) || (code >= 127 && code < 160) || code === 0x2028 || code === 0x2029;
}

function hasCommands(text: string): boolean {
  return [...text].some((character) => isCommand(character.codePointAt(0) as number));
}

test('no control character remains, and nothing else is changed', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.is(hasCommands(printable(text)), false);
      if (!hasCommands(text)) assert.is(printable(text), text);
    }),
    { endOnFailure: true },
  );
  for (let code = 0; code < 0x3000; code++) assert.is(hasCommands(printable(String.fromCharCode(code))), false);
});

test('line ends and escapes are replaced by escape sequences', () => {
  assert.is(printable('one\r\ntwo\tthree'), 'one\\r\\ntwo\tthree');
  assert.is(printable('\x1b[2J\x9b2J\0'), '\\u001b[2J\\u009b2J\\u0000');
});

test('quoted text has none either', () => {
  assert.is(quoted('\x1b\x9b\u2028'), '"\\u001b\\u009b\\u2028"');
});

test('the text of an error cannot imitate frames of its stack', () => {
  const error = new Error('bad\n    at planted (/etc/passwd:1:1)\x1b[31m');
  const lines = printableStack(error.stack as string, error.message).split('\n');
  assert.is(lines[0], 'Error: bad\\n    at planted (/etc/passwd:1:1)\\u001b[31m');
  assert.ok(lines.length > 1);
  assert.ok(lines.slice(1).every((line) => /^ +at /.test(line) && !line.includes('planted')));
  assert.is(printableStack('no\x1bstack', 'another'), 'no\\u001bstack');
  assert.is(printableStack('Error: x\x1b\n    at a', 'another'), 'Error: x\\u001b\n    at a');
});

test.run();
