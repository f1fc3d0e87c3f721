/** Answers of administration: one tree, written as JSON, or as XML (Formatter, common/Formatter.h). */
import { type Bytes, rawFromText, utf8 } from '@spirula/encoding';
import { element, type XmlNode, xmlDocument } from '../s3/xml-writer.ts';

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

/** @param root the element around it all */
export function xmlOf(root: string, node: Node): Bytes {
  return xmlDocument(elementOf(root, node));
}

export function jsonOf(node: Node): Bytes {
  return utf8(JSON.stringify(node));
}

function elementOf(name: string, node: Node): XmlNode {
  if (typeof node === 'string') return element(name, rawFromText(node));
  if (typeof node === 'number' || typeof node === 'boolean') return element(name, node);
  if (node instanceof List) {
    const items = node.items.map((item) => elementOf(node.itemName, item));
    return element(name, items);
  }
  const members: XmlNode[] = [];
  for (const [key, value] of Object.entries(node)) if (value !== undefined) members.push(elementOf(key, value));
  return element(name, members);
}
