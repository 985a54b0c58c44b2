/**
 * What typedoc is told beyond its options: Markdown pages have the title and the group that `documents.mjs` says, and
 * links to what the site has no copy of, source code and folders, become plain text.
 */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Converter } from 'typedoc';
import { groupOf, titleOf } from './documents.mjs';

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const path = document.project.files.getReflectionPath(document);
    document.name = titleOf(path);
    document.frontmatter.group = groupOf(path);
    for (const target of unlinkSources(document.content)) {
      if (!existsSync(resolve(dirname(path), target)))
        app.logger.error(`${path} links to ${target}, which is not there`);
    }
  });
}

const OF_THE_SITE = /\.(md|svg|png)$/;

/**
 * Turns `[src/peer/listen.ts](src/peer/listen.ts)` into `src/peer/listen.ts`: the parts before and behind a link hold its brackets.
 *
 * @returns what was linked to
 */
function unlinkSources(parts) {
  const targets = [];
  for (const [index, part] of parts.entries()) {
    if (part.kind !== 'relative-link') continue;
    const [target] = part.text.split('#');
    const before = parts[index - 1];
    const after = parts[index + 1];
    if (target === '' || OF_THE_SITE.test(target) || !/\]\($/.test(before.text)) continue;
    before.text = before.text.replace(/\[([^\]]*)\]\($/, '$1');
    after.text = after.text.replace(/^\)/, '');
    parts[index] = { kind: 'text', text: '' };
    targets.push(target);
  }
  return targets;
}
