import type { Mark } from './model.ts';

/** What the reader has chosen. */
export interface Choice {
  /** By number of the family. */
  readonly hiddenFamilies: ReadonlySet<number>;
  readonly hiddenMarks: ReadonlySet<Mark['kind']>;
  /** Entries found. Others fade while there are some. */
  readonly hits: readonly number[];
  readonly hitMessages: ReadonlySet<number>;
  /** Entry of which the details are shown. */
  readonly selected: number | undefined;
}
