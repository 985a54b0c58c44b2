/**
 * The reference: a page for each export, which typedoc makes from the comments in `src/`. The pages in docs/reference/, one
 * for each task of users, list the exports, and link their pages here. A warning is an error.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';
import { MarkdownPageEvent } from 'typedoc-plugin-markdown';
import { root } from '../setup/report.mjs';

const tasks = ['connect', 'call', 'serve', 'values', 'errors'];

/** How types are computed. The result is shown where it is used. */
const machinery = [
  'Arguments',
  'Callable',
  'Chosen',
  'Described',
  'EmittedArguments',
  'Emitters',
  'Emitting',
  'GivenAsThis',
  'GivenFor',
  'HandlerParameters',
  'HandlerResult',
  'HeldBy',
  'ImplementedBy',
  'Known',
  'ListOf',
  'LooseMember',
  'LooseProxy',
  'MakeVariant',
  'Members',
  'MethodPermission',
  'MethodRefusal',
  'Methods',
  'NamespaceName',
  'NoOptions',
  'NoReply',
  'ParametersWithContext',
  'PropertyName',
  'PropertyPermissionsOf',
  'PropertyRefusal',
  'PlainSignature',
  'PlainSignatures',
  'ReadValueAs',
  'ReadableProperties',
  'Reading',
  'ReadingOf',
  'ReadingWith',
  'Sending',
  'ServiceUse',
  'Shared',
  'SignalRefusal',
  'Signals',
  'SignalsInLoops',
  'SignalsOnce',
  'Table',
  'TypeOf',
  'Unless',
  'ValidArguments',
  'ValidDictSignature',
  'ValidEntries',
  'ValidInterfaceName',
  'ValidMemberName',
  'Doubts',
  'ValidMembers',
  'ValidType',
  'Value',
  'ValueCheckOf',
  'Values',
  'VariantsOf',
  'WithContext',
  'WritableProperties',
];

/** Parts of types without a comment; their owner has one. */
const parts = [
  'implement.Given',
  'AnyProxy.call.__type.__index',
  'AnyProxy.on.__type.__index',
  'AnyProxy.once.__type.__index',
  'AnyProxy.watch.__type.__index',
  'AnyProxy.get.__type.__index',
  'AnyProxy.set.__type.__index',
  'LooseMemberTypes.methods.__type.__index',
];

const options = {
  plugin: ['typedoc-plugin-markdown'],
  entryPoints: [join(root, 'build/reference/all.ts')],
  tsconfig: join(root, 'build/reference/tsconfig.json'),
  readme: 'none',
  intentionallyNotExported: machinery,
  intentionallyNotDocumented: parts,
  cleanOutputDir: false,
  entryFileName: 'all',
  basePath: root,
  // Declarations that the package does not promise, and that readers of the site could not follow.
  excludeInternal: true,
  excludePrivate: true,
  disableSources: true,
  sort: ['source-order'],
  // A folder for each kind: names that differ only in case are of different kinds.
  router: 'kind',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  expandObjects: true,
  sanitizeComments: true,
  parametersFormat: 'table',
  typeDeclarationFormat: 'table',
  blockTagsPreserveOrder: ['@example'],
  pageTitleTemplates: { member: ({ rawName }) => rawName.replace(/<.*>/, '') },
  logLevel: 'Warn',
  // `check.mjs` checks files and anchors, in the built site.
  validation: { notExported: true, invalidLink: true, invalidPath: false, rewrittenLink: true, notDocumented: true },
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Function', 'Property', 'Method', 'Accessor'],
  treatWarningsAsErrors: true,
};

/**
 * Writes the reference into a folder that has the pages of docs/reference/ already, and returns its sidebar.
 *
 * @throws if typedoc reports a problem, or an export is not in exactly one list
 */
export async function makeReference(folder) {
  writeEntry();
  const app = await Application.bootstrapWithPlugins({ ...options, out: folder });
  const project = await app.convert();
  if (project === undefined) throw new Error('typedoc could not read the sources');
  const pages = [];
  app.renderer.on(MarkdownPageEvent.END, (page) => {
    page.contents = tidy(page.contents);
    if (page.model !== project) pages.push(page);
  });
  app.validate(project);
  await app.generateOutputs(project);
  rmSync(join(folder, 'all.md'));
  const { errorCount, warningCount, validationWarningCount } = app.logger;
  if (errorCount + warningCount + validationWarningCount > 0) throw new Error('typedoc has found something: see above');

  const listed = [];
  const sidebar = tasks.map((task) => completed(folder, task, pages, listed));
  const faults = [
    ...pages.filter(({ model }) => !listed.includes(model.name)).map(({ model }) => `${model.name} is in no list`),
    ...listed.filter((name, index) => listed.indexOf(name) !== index).map((name) => `${name} is in two lists`),
  ];
  if (faults.length > 0) throw new Error(`docs/reference: ${faults.join('; ')}`);
  return [{ text: 'Reference', link: '/reference/', items: [] }, ...sidebar];
}

/** Writes a module with the exports of all modules of the package. */
function writeEntry() {
  const folder = join(root, 'build/reference');
  mkdirSync(folder, { recursive: true });
  const modules = ['index', 'current-call'].map((name) => `export * from '../../src/${name}.js';\n`);
  writeFileSync(join(folder, 'all.ts'), modules.join(''));
  const extended = { extends: '../../tsconfig.build.json', compilerOptions: { rootDir: '../..' } };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...extended, include: ['all.ts', '../../src'] }));
}

/**
 * Completes the lists of a page: each name links to its own page, and has the first sentence of its comment. Returns its
 * sidebar.
 */
function completed(folder, task, pages, listed) {
  const file = join(folder, `${task}.md`);
  const items = [];
  const text = readFileSync(file, 'utf8').replace(/^- `(\w+)`$/gm, (_, name) => {
    const found = pages.filter(({ model }) => model.name === name);
    if (found.length === 0) throw new Error(`docs/reference/${task}.md lists ${name}, which is not exported`);
    listed.push(name);
    const [{ model, url }] = found;
    items.push({ text: name, link: `/reference/${url.replace(/\.md$/, '')}` });
    return `- [\`${name}\`](./${url}): ${firstSentence(model)}`;
  });
  writeFileSync(file, text);
  return { text: /^# (.+)$/m.exec(text)[1], link: `/reference/${task}`, collapsed: true, items };
}

/** An export in short. The comment of a function is at its call signature. */
function firstSentence(model) {
  const { summary } = model.comment ?? model.signatures[0].comment;
  const text = summary
    .map(({ text }) => text)
    .join('')
    .replace(/\s+/g, ' ');
  return /^.*?[^.]\.(?= |$)|^.*$/.exec(text)[0];
}

/** Leaves out redundant parts, and makes one list of all errors that are thrown. */
function tidy(markdown) {
  return (
    markdown
      .replace(/^#+ Get Signature\n\n/gm, '')
      .replace(/^#+ (Inherited from|Overrides|Extends)\n\n.*\n+/gm, '')
      // A type without a link is in the signature already.
      .replace(/^#+ Returns\n\n[^[\n]*\n(?=\n*(#|\*\*\*|$))/gm, '')
      .replace(/^(#+) Throws\n\n((?:(?!#|\*\*\*).*\n)*)(?:\n*\1 Throws\n\n(?:(?!#|\*\*\*).*\n)*)+/gm, (all, level) => {
        const thrown = all
          .split(/^#+ Throws$/m)
          .slice(1)
          .map((text) => text.trim().replace(/\s*\n\s*/g, ' '));
        return `${level} Throws\n\n${thrown.map((text) => `- ${text}`).join('\n')}\n\n`;
      })
  );
}
