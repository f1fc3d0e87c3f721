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

  /** Of two classes of one name the later counts. */
  constructor(classes: readonly ObjectClass[], lists: ClassLists) {
    this.#classes = new Map(classes.map((each) => [each.name, each]));
    this.#lists = lists;
  }

  /** The method, or the errno that a request with it is refused with: EPERM, or EOPNOTSUPP when there is none. */
  resolve(className: RawString, methodName: RawString): ResolvedMethod | number {
    if (!isListed(this.#lists.loadList, className)) return Errno.EPERM;
    const methods = this.#classes.get(className)?.methods ?? {};
    const method = Object.hasOwn(methods, methodName) ? methods[methodName] : undefined;
    if (method === undefined) return Errno.EOPNOTSUPP;
    return { className, methodName, method, isDefault: isListed(this.#lists.defaultList, className) };
  }
}

function isListed(list: string, name: string): boolean {
  return list.split(/\s+/).some((each) => each !== '' && (each === '*' || each === name));
}
