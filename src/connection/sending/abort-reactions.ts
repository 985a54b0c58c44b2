/**
 * Reactions to AbortSignals of the program. busbar adds one listener to a signal, however many calls share it: Node.js
 * takes eleven for a leak and warns.
 */

interface Reactions {
  readonly all: Set<() => void>;
  readonly listener: () => void;
}

const watched = new WeakMap<AbortSignal, Reactions>();

/** Calls `react` when the signal aborts, until the returned function is called. */
export function onAbort(signal: AbortSignal, react: () => void): () => void {
  const reactions = watched.get(signal) ?? watch(signal);
  // A function of its own for each reaction, because `react` may be passed twice.
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
