/** An attempt of live state to know everything, from which `ready` is made. */

/** How the present attempt ended. */
interface Outcome {
  readonly owner?: string | undefined;
  readonly error?: unknown;
}

/** An attempt to know everything: from the start, or the change of the owner, until the state is known. */
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
