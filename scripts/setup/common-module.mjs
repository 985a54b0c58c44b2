/**
 * An ES module in one file, as a CommonJS module. Bundlers include it in bundles of either kind, so it gets the modules of
 * Node.js without `require`, which a bundle of ES modules does not have, where the process gives them.
 */
import { edited, syntaxOf } from './syntax.mjs';

/** The properties of `import.meta` that CommonJS has. */
const places = { dirname: '__dirname', filename: '__filename' };

/**
 * Makes CommonJS of the text of an ES module that imports only modules of Node.js, and exports names at its end. Those in
 * `hidden` are not enumerable.
 */
export async function commonModule(text, hidden) {
  const edits = [];
  const visit = (node) => {
    if (node === null || typeof node !== 'object') return;
    const replacement = replacements[node.type]?.(node, hidden);
    if (replacement === undefined) for (const child of Object.values(node)) visit(child);
    else edits.push({ start: node.start, end: node.end, text: replacement });
  };
  visit(await syntaxOf(text));
  return `"use strict";${edited(text, edits)}`;
}

const replacements = {
  ImportDeclaration({ specifiers, source: { value } }) {
    const module = builtin(value);
    const [{ type, local }] = specifiers;
    if (type !== 'ImportSpecifier') return `const ${local.name}=${module};`;
    const names = specifiers.map(({ imported, local }) => named(imported.name, local.name));
    return `const{${names.join()}}=${module};`;
  },
  ExportNamedDeclaration({ specifiers }, hidden) {
    const statements = specifiers.map(({ local, exported: { name } }) =>
      hidden.includes(name)
        ? `Object.defineProperty(exports,"${name}",{value:${local.name}});`
        : `exports.${name}=${local.name};`,
    );
    return statements.join('\n');
  },
  /** Its text has become a template without parts. */
  ImportExpression: ({ source: { quasis } }) => `Promise.resolve(${builtin(quasis[0].value.cooked)})`,
  MemberExpression({ object, property }) {
    return object.type === 'MetaProperty' ? places[property.name] : undefined;
  },
};

const builtin = (name) => `process.getBuiltinModule?.("${name}")??require("${name}")`;
const named = (name, local) => (name === local ? name : `${name}:${local}`);
