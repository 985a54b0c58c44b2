/**
 * What typedoc is told beyond its options: Markdown pages have the title and the group that `documents.mjs` says, and
 * links to source code, of which the site has no copy, become plain text.
 */
import { Converter } from 'typedoc';
import { groupOf, titleOf } from './documents.mjs';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const path = document.project.files.getReflectionPath(document);
    document.name = titleOf(path);
    document.frontmatter.group = groupOf(path);
    unlinkSources(document.content);
  });
}

const OF_THE_SITE = /\.(md|svg|png)$/;

/** `[src/listen.ts](src/listen.ts)` becomes `src/listen.ts`; the parts around a link end and begin with its brackets. */
function unlinkSources(parts) {
  for (const [index, part] of parts.entries()) {
    if (part.kind !== 'relative-link' || OF_THE_SITE.test(part.text)) continue;
    const before = parts[index - 1];
    const after = parts[index + 1];
    before.text = before.text.replace(/\[([^\]]*)\]\($/, '$1');
    after.text = after.text.replace(/^\)/, '');
    parts[index] = { kind: 'text', text: '' };
  }
}
