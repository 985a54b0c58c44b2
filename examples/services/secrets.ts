/** A secret service in memory, for secret-tool and the applications that use libsecret. Ctrl+C ends it. */
import { createInterface } from 'node:readline/promises';
import { type CallContext, implement, serve, variant } from 'busbar';
import { Prompt, Service } from './interfaces/secrets.js';
import { collection, collectionPath, isLocked, lock, read, search } from './secrets/collection.js';
import { bus, openSession } from './secrets/sessions.js';

const terminal = createInterface({ input: process.stdin });
/** The terminal has one question at a time. */
let questions = Promise.resolve();
let prompts = 0;

/** Exports a prompt, which asks the user when the client says so, and tells the client the answer by a signal. */
function promptToUnlock(objects: readonly string[], call: CallContext): string {
  const path = `/org/freedesktop/secrets/prompt/${++prompts}`;
  const dismissal = new AbortController();
  let completed = false;
  const complete = (dismissed: boolean) => {
    if (completed) return;
    completed = true;
    if (!dismissed) lock(false);
    prompt.to(call).emit.Completed(dismissed, variant.ao(dismissed ? [] : [...objects]));
    exported.end();
    dismissal.abort();
  };
  const ask = async () => {
    console.log('unlock the secrets? (y/n)');
    const answer = await terminal.question('', dismissal).catch(() => 'n');
    complete(answer !== 'y');
  };
  const prompt = implement(Prompt, {
    Prompt() {
      questions = questions.then(ask);
    },
    Dismiss: () => complete(true),
  });
  const exported = bus.export(path, prompt);
  return path;
}

const secrets = implement(Service, {
  OpenSession: (algorithm, input, { caller }) => openSession(algorithm, input, caller),
  SearchItems: (attributes) => (isLocked() ? [[], search(attributes)] : [search(attributes), []]),
  Unlock: (objects, call) => (isLocked() ? [[], promptToUnlock(objects, call)] : [objects, '/']),
  Lock(objects) {
    lock(true);
    return [objects, '/'];
  },
  GetSecrets: (paths, session) => Object.fromEntries(paths.map((path) => [path, read(path, session)])),
  ReadAlias: (name) => (name === 'default' ? collectionPath : '/'),
  Collections: [collectionPath],
});

const service = await serve(bus, {
  name: 'org.freedesktop.secrets',
  objects: {
    '/org/freedesktop/secrets': secrets,
    [collectionPath]: collection,
    // Clients use the alias as a path, too, without asking for the path behind it.
    '/org/freedesktop/secrets/aliases/default': collection,
  },
});
void service.ended.then(() => terminal.close());
console.log('ready');
