/** What an object without versions is, told by what its bytes are; and what answers tell of it. */
export interface State {
  readonly key: string;
}

export const ABSENT: State = { key: 'none' };

/** A change was made. */
export function makes(state: State) {
  return { step: () => state, reveals: state, told: state.key };
}

/** A read saw it. */
export function tellsThat(state: State) {
  return {
    step: (before: State) => (before.key === state.key ? state : undefined),
    reveals: state,
    told: state.key,
  };
}
