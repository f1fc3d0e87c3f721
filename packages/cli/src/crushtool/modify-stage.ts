/** Changes tunables, items, rules and classes, in this order whatever the order of the options. */
import {
  addRule,
  type CrushDraft,
  changeItemWeight,
  createOrMoveItem,
  deleteItem,
  fixedPoint,
  insertItem,
  rebuildShadowTrees,
  reclassify,
  relocateBucket,
  reweighAll,
  setSubtreeClass,
  takeRuleAway,
  updateItem,
  weightIn,
} from '@spirula/crush';
import { Errno, formatFloat } from '@spirula/encoding';
import { describeErrno } from '../ceph/errno-text.ts';
import type { NewItem, NewRule, Request } from './request.ts';
import { type CrushToolIo, Ending } from './tool-io.ts';

/** Whether the draft was changed. @throws Ending when a change cannot be made. */
export function modify(draft: CrushDraft, request: Request, io: CrushToolIo): boolean {
  const changes: boolean[] = [
    setTunables(draft, request),
    reweightItem(draft, request, io),
    removeItem(draft, request, io),
    placeItem(draft, request),
    addBucket(draft, request),
    move(draft, request),
    createRule(draft, request),
    removeRule(draft, request),
    rework(draft, request),
    classify(draft, request, io),
  ];
  return changes.includes(true);
}

function setTunables(draft: CrushDraft, { tunables }: Request): boolean {
  const given = Object.entries(tunables).filter(([, value]) => value >= 0);
  const bytes = new Set(['chooseleafVaryR', 'chooseleafStable', 'strawCalcVersion']);
  for (const [name, value] of given) {
    draft.tunables = { ...draft.tunables, [name]: bytes.has(name) ? value & 0xff : value };
  }
  return given.length > 0;
}

function refuse(failure: number): never {
  throw new Ending(`crushtool ${describeErrno(failure)}\n`, failure);
}

/** The item of that name. @throws Ending when there is none. */
function itemNamed(draft: CrushDraft, name: string, io: CrushToolIo): number {
  const item = draft.idOf(name);
  if (item !== undefined) return item;
  io.stderr(` name ${name} dne\n`);
  return refuse(Errno.ENOENT);
}

function reweightItem(draft: CrushDraft, { reweightItem: asked }: Request, io: CrushToolIo): boolean {
  if (asked === undefined || asked.name === '') return false;
  const { name, weight } = asked;
  io.stdout(`crushtool reweighting item ${name} to ${formatFloat(weight)}\n`);
  const failure = changeItemWeight(draft, itemNamed(draft, name, io), fixedPoint(weight));
  return failure === undefined || refuse(failure);
}

function removeItem(draft: CrushDraft, { removeItem: name }: Request, io: CrushToolIo): boolean {
  if (name === '') return false;
  io.stdout(`crushtool removing item ${name}\n`);
  const failure = deleteItem(draft, itemNamed(draft, name, io), false);
  return failure === undefined || refuse(failure);
}

function placeItem(draft: CrushDraft, { newItem, location }: Request): boolean {
  if (newItem === undefined || newItem.id < 0) return false;
  const failure = newItem.update ? update(draft, newItem, location) : insert(draft, newItem, location);
  return failure === undefined || refuse(failure);
}

function update(draft: CrushDraft, { id, weight, name }: NewItem, location: Request['location']): number | undefined {
  const outcome = updateItem(draft, id, fixedPoint(weight), name, location);
  return typeof outcome === 'number' ? outcome : undefined;
}

function insert(draft: CrushDraft, { id, weight, name }: NewItem, location: Request['location']): number | undefined {
  return insertItem(draft, id, fixedPoint(weight), name, location);
}

/** `{host=host0,root=default}` */
function locationText(location: Request['location']): string {
  const pairs = [...location].sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${pairs.map(([type, name]) => `${type}=${name}`).join(',')}}`;
}

function addBucket(draft: CrushDraft, { newBucket, location }: Request): boolean {
  if (newBucket === undefined) return false;
  const { name, type } = newBucket;
  if (draft.idOf(name) !== undefined) throw new Ending(`crushtool bucket '${name}' already exists\n`, Errno.EEXIST);
  const typeId = draft.typeOf(type);
  if (typeId === undefined || typeId <= 0) throw new Ending(`crushtool bad bucket type: ${type}\n`, Errno.EINVAL);
  const added = draft.addBucket(typeId, []);
  if ('failure' in added) {
    throw new Ending(`crushtool unable to add bucket: ${describeErrno(added.failure)}\n`, added.failure);
  }
  if (!draft.nameItem(added.id, name)) throw new Ending(`crushtool bad bucket name: ${name}\n`, Errno.EINVAL);
  if (location.size === 0 || weightIn(draft, added.id, location) !== undefined) return true;
  const failure = relocateBucket(draft, added.id, location);
  if (failure === undefined) return true;
  throw new Ending(`crushtool error moving bucket '${name}' to ${locationText(location)}\n`, failure);
}

function move(draft: CrushDraft, { move: name, location }: Request): boolean {
  if (name === undefined) return false;
  const id = draft.idOf(name);
  if (id === undefined) throw new Ending(`crushtool item '${name}' does not exist\n`, Errno.ENOENT);
  if (location.size === 0) throw new Ending('crushtool expecting additional --loc argument to --move\n', Errno.EINVAL);
  if (weightIn(draft, id, location) !== undefined) {
    throw new Ending(`crushtool item '${name}' already at ${locationText(location)}\n`, 1);
  }
  const outcome = id >= 0 ? createOrMoveItem(draft, id, 0, name, location) : relocateBucket(draft, id, location);
  if (typeof outcome === 'number') throw new Ending('', outcome);
  return true;
}

function createRule(draft: CrushDraft, request: Request): boolean {
  const { newRule, ruleName, deviceClass } = request;
  if (newRule === undefined) return false;
  const rule: NewRule = { ...newRule, name: ruleName };
  if ([...draft.ruleNames.values()].includes(ruleName)) throw new Ending(`rule ${ruleName} already exists\n`);
  const failure = addRule(draft, { ...rule, deviceClass });
  if (failure !== undefined) throw new Ending(`${failure}\n`);
  return true;
}

function removeRule(draft: CrushDraft, { removeRule: asked, ruleName }: Request): boolean {
  if (!asked) return false;
  const id = [...draft.ruleNames].find(([, name]) => name === ruleName)?.[0];
  // No error to Ceph, but the end of it.
  if (id === undefined) throw new Ending(`rule ${ruleName} does not exist\n`, 0);
  const failure = takeRuleAway(draft, id);
  if (failure !== undefined) throw new Ending(`fail to remove rule ${ruleName}\n`);
  return true;
}

function rework(draft: CrushDraft, { reweight, rebuildClassRoots }: Request): boolean {
  if (reweight) {
    reweighAll(draft);
    rebuildShadowTrees(draft);
  }
  if (rebuildClassRoots && rebuildShadowTrees(draft) !== undefined) {
    throw new Ending('failed to rebuidl roots with classes\n');
  }
  return reweight || rebuildClassRoots;
}

function classify(draft: CrushDraft, request: Request, io: CrushToolIo): boolean {
  const { subtreeClasses, reclassify: asked, reclassifyRoots, reclassifyBuckets } = request;
  for (const [subtree, className] of sorted(subtreeClasses)) setSubtreeClass(draft, subtree, className);
  if (asked) {
    const listener = { say: (line: string) => io.stdout(line), describe: describeErrno };
    const failure = reclassify(draft, sorted(reclassifyRoots), sorted(reclassifyBuckets), listener);
    if (failure !== undefined) throw new Ending('failed to reclassify map\n');
  }
  return asked || subtreeClasses.size > 0;
}

function sorted<V>(entries: ReadonlyMap<string, V>): [string, V][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}
