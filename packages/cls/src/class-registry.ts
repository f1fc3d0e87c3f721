/** The classes an OSD has, and which of them it may use (osd/ClassHandler.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import type { ClassMethod, ObjectClass } from './object-class.ts';

export interface ResolvedMethod {
  readonly className: RawString;
  readonly methodName: RawString;
  readonly method: ClassMethod;
  /** In osd_class_default_list: capabilities need not name it. */
  readonly isDefault: boolean;
}

export interface ClassLists {
  /** osd_class_load_list: names of those that may be loaded, with white space between; `*` is all. */
  readonly loadList: string;
  /** osd_class_default_list. */
  readonly defaultList: string;
}

export class ClassRegistry {
  readonly #classes: ReadonlyMap<string, ObjectClass>;
  readonly #lists: ClassLists;
  readonly #loadable = new NameList();
  readonly #default = new NameList();

  /** Of two classes of one name the later counts. */
  constructor(classes: readonly ObjectClass[], lists: ClassLists) {
    this.#classes = new Map(classes.map((each) => [each.name, each]));
    this.#lists = lists;
  }

  /** The method, or the errno that a request with it is refused with: EPERM, or EOPNOTSUPP when there is none. */
  resolve(className: RawString, methodName: RawString): ResolvedMethod | number {
    if (!this.#loadable.has(this.#lists.loadList, className)) return Errno.EPERM;
    const methods = this.#classes.get(className)?.methods ?? {};
    const method = Object.hasOwn(methods, methodName) ? methods[methodName] : undefined;
    if (method === undefined) return Errno.EOPNOTSUPP;
    return { className, methodName, method, isDefault: this.#default.has(this.#lists.defaultList, className) };
  }
}

/** A list of names, taken apart once: it seldom changes. */
class NameList {
  #text = '';
  #names: ReadonlySet<string> = new Set();

  has(text: string, name: string): boolean {
    if (text !== this.#text) {
      this.#text = text;
      this.#names = new Set(text.split(/\s+/).filter((each) => each !== ''));
    }
    return this.#names.has('*') || this.#names.has(name);
  }
}
