/** Lines one after another, in a pool of their own. */
export interface Topic {
  readonly name: string;
  readonly lines: readonly string[];
}
