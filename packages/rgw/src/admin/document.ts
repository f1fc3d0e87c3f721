/** Answers of administration: one tree, written as JSON, or as XML (Formatter, common/Formatter.h). */

/** Items of a list are elements of this name in XML; JSON has none for them. */
class List {
  readonly itemName: string;
  readonly items: readonly Node[];

  constructor(itemName: string, items: readonly Node[]) {
    this.itemName = itemName;
    this.items = items;
  }

  toJSON(): readonly Node[] {
    return this.items;
  }
}

/** Texts are text, not raw strings. Undefined members are left out. */
export type Node = string | number | boolean | List | { readonly [name: string]: Node | undefined };

export function list(itemName: string, items: readonly Node[]): List {
  return new List(itemName, items);
}
