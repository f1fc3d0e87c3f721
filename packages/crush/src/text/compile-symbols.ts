import type { CrushDraft } from '../draft.ts';

/** Takes a line, newline included. */
export type Notes = (line: string) => void;

/** What the statements so far have named. */
export class SymbolTable {
  readonly draft: CrushDraft;
  readonly notes: Notes;
  /** Type numbers by name. */
  readonly types = new Map<string, number>();
  /** Devices and buckets by name. */
  readonly items = new Map<string, number>();
  /** Ids that devices and buckets have or, by their own words, will have. */
  readonly ids = new Set<number>();
  readonly ruleNames = new Set<string>();

  constructor(draft: CrushDraft, notes: Notes) {
    this.draft = draft;
    this.notes = notes;
  }

  define(id: number, name: string): void {
    this.items.set(name, id);
    this.ids.add(id);
  }
}
