/**
 * Reactions to AbortSignals of users. However many calls share a signal, it has one listener of busbar's: Node.js takes
 * eleven for a leak and warns.
 */

interface Reactions {
  readonly all: Set<() => void>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignal, Reactions>();

/** Has `react` called when the signal aborts, until the returned function is called. */
export function onAbort(signal: AbortSignal, react: () => void): () => void {
  const reactions = watched.get(signal) ?? watch(signal);
  // A function of its own, because one may be given twice.
  const reaction = () => react();
  reactions.all.add(reaction);
  return () => {
    if (!reactions.all.delete(reaction) || reactions.all.size > 0) return;
    signal.removeEventListener('abort', reactions.listener);
    if (watched.get(signal) === reactions) watched.delete(signal);
  };
}

function watch(signal: AbortSignal): Reactions {
  const all = new Set<() => void>();
  const listener = () => {
    watched.delete(signal);
    for (const react of [...all]) react();
  };
  signal.addEventListener('abort', listener, { once: true });
  const reactions = { all, listener };
  watched.set(signal, reactions);
  return reactions;
}
