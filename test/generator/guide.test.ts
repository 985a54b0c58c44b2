// The generated files that the guide shows are those that the generator makes of the data beside them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FORMS, generateFiles } from '../../src/generator/generate.js';
import { parseIntrospection } from '../../src/index.js';
import { documentedFiles, fencedBlocks } from '../helpers/documented-programs.js';
import { projectRoot } from '../helpers/paths.js';

const test = suite('generated files of the guide');

test('each form is what the generator makes of the data on the page', () => {
  const page = readFileSync(join(projectRoot, 'docs/guide/generator.md'), 'utf8');
  const xml = fencedBlocks(page).find(({ language }) => language === 'xml')?.text as string;
  const { interfaces } = parseIntrospection(xml, { documentation: true });
  const shown = documentedFiles(page)
    .filter(({ name }) => name.endsWith('org.example.Lamp.ts'))
    .map(({ text }) => text.slice(text.indexOf('\n') + 1));
  assert.equal(
    shown,
    FORMS.map((form) => generateFiles(interfaces.values(), form)[0]?.text),
  );
});

test.run();
