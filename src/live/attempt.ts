/** One attempt to read the whole state of a view. Its outcome is that of `ready`. */

/** How an attempt ended. */
interface Outcome {
  readonly owner?: string | undefined;
  readonly error?: unknown;
}

/** It lasts from the start, or a change of the owner, until the state is known or cannot be read. */
export interface Attempt {
  readonly outcome: Promise<Outcome>;
  readonly isOver: boolean;
  end(outcome: Outcome): void;
}

export function newAttempt(): Attempt {
  let resolve!: (outcome: Outcome) => void;
  let isOver = false;
  const outcome = new Promise<Outcome>((settle) => {
    resolve = settle;
  });
  return {
    outcome,
    get isOver() {
      return isOver;
    },
    end(given) {
      isOver = true;
      resolve(given);
    },
  };
}
