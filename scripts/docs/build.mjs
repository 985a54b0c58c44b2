/** Builds the site with typedoc: the Markdown pages beside the reference, in one sidebar and one search. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';
import { root } from '../setup/report.mjs';
import { documents } from './documents.mjs';
import { load } from './typedoc-plugin.mjs';

const here = join(root, 'scripts', 'docs');

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function options() {
  return {
    name: `busbar ${version}`,
    entryPoints: [join(root, 'src', 'index.ts')],
    tsconfig: join(here, 'tsconfig.json'),
    readme: join(root, 'README.md'),
    projectDocuments: documents(),
    out: join(root, 'build', 'site'),
    basePath: root,
    customCss: join(here, 'site.css'),
    // What the package does not promise, and what a reader of the site could not follow.
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    githubPages: false,
    hideGenerator: true,
    includeHierarchySummary: false,
    navigation: { includeGroups: true, includeCategories: false, includeFolders: false },
    groupOrder: ['Guide', 'Reference', 'Functions', 'Classes', 'Interfaces', 'About busbar', '*'],
    sortEntryPoints: false,
    highlightLanguages: ['bash', 'console', 'css', 'html', 'ini', 'javascript', 'json', 'jsonc', 'typescript', 'xml'],
    ignoredHighlightLanguages: ['text'],
    // Files and anchors are for `links.mjs`, which sees what was built.
    validation: { notExported: true, invalidLink: true, invalidPath: false, rewrittenLink: true, notDocumented: true },
    // How types are computed. What comes of it is shown where it is used.
    intentionallyNotExported: machinery,
    requiredToBeDocumented: [
      'Class',
      'Interface',
      'TypeAlias',
      'Variable',
      'Function',
      'Property',
      'Method',
      'Accessor',
    ],
    // Parts of types without a comment of their own; what they belong to has one.
    intentionallyNotDocumented: [
      'busbar.implement.Given',
      'busbar.AnyProxy.call.__type.__index',
      'busbar.AnyProxy.on.__type.__index',
      'busbar.AnyProxy.once.__type.__index',
      'busbar.AnyProxy.watch.__type.__index',
      'busbar.AnyProxy.get.__type.__index',
      'busbar.AnyProxy.set.__type.__index',
      'busbar.LooseMemberTypes.methods.__type.__index',
    ],
    treatWarningsAsErrors: true,
  };
}

const machinery = [
  'Arguments',
  'Callable',
  'Chosen',
  'Described',
  'EmittedArguments',
  'Emitter',
  'Emitting',
  'GivenAsThis',
  'GivenFor',
  'HandlerResult',
  'HeldBy',
  'ImplementedBy',
  'Known',
  'ListOf',
  'MakeVariant',
  'MethodRefusal',
  'Methods',
  'NoReply',
  'ParametersWithContext',
  'PropertyRefusal',
  'ReadableProperties',
  'Reading',
  'ReadingWith',
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
  'ValidInterfaceName',
  'ValidMemberName',
  'ValidMembers',
  'ValidType',
  'Value',
  'Values',
  'VariantsOf',
  'WritableProperties',
];

/** Builds the site and returns its folder; `undefined` if there was an error or a warning, which typedoc has told. */
export async function buildSite() {
  const app = await Application.bootstrap(options());
  load(app);
  const project = await app.convert();
  if (project === undefined) return undefined;
  app.validate(project);
  await app.generateOutputs(project);
  const { errorCount, warningCount, validationWarningCount } = app.logger;
  return errorCount + warningCount + validationWarningCount === 0 ? app.options.getValue('out') : undefined;
}
