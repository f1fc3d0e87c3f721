/** Buckets of a CRUSH map's source (CrushCompiler::parse_bucket). */
import { Errno, formatFloat } from '@spirula/encoding';
import type { WeightedItem } from '../bucket-weights.ts';
import { BucketAlg } from '../crush-map.ts';
import type { SymbolTable } from './compile-symbols.ts';
import type { BucketItemLine, BucketStatement, Statement } from './syntax.ts';
import { CrushTextError } from './text-error.ts';

const ONE = 0x10000;
/** Of a device, and of a bucket: 100 and 65535. */
const MAX_DEVICE_WEIGHT = 100;
const MAX_BUCKET_WEIGHT = 65535;
const MAX_TOTAL = 0xffff_ffff;

export class BucketCompiler {
  readonly #symbols: SymbolTable;
  /** What buckets weigh that are there, 16.16. */
  readonly #weights = new Map<number, number>();
  /** The ids that the text gives to shadows: bucket -> class -> shadow. */
  readonly shadowIds = new Map<number, Map<number, number>>();

  constructor(symbols: SymbolTable, statements: readonly Statement[]) {
    this.#symbols = symbols;
    // Buckets without an id get one that no other bucket's first id line has.
    for (const statement of statements) {
      if (statement.kind === 'bucket' && statement.ids.length > 0) symbols.ids.add(statement.ids[0]!.id);
    }
  }

  compile(statement: BucketStatement): void {
    const { draft, items, types, notes } = this.#symbols;
    const { name, typeName } = statement;
    const type = types.get(typeName);
    if (type === undefined) throw new CrushTextError(`bucket type '${typeName}' is not defined\n`);
    if (items.has(name)) throw new CrushTextError(`bucket or device '${name}' is already defined\n`);
    const { ownId, shadows } = this.#readIds(statement);
    const alg = algOf(statement.alg);
    const entries = this.#placeItems(statement, alg);
    const weight = totalWeight(entries);
    const id = ownId === 0 ? this.#freeId() : ownId;
    if (shadows.size > 0) this.shadowIds.set(id, shadows);
    notes(`bucket ${name} (${id}) ${entries.length} items and weight ${formatFloat(Math.fround(weight / ONE))}\n`);
    this.#symbols.define(id, name);
    this.#weights.set(id, weight);
    const added = draft.addBucket(type, entries, { id, alg, hash: (statement.hashes.at(-1) ?? 0) & 0xff });
    if ('failure' in added) throw new CrushTextError(refusal(id, added.failure));
    draft.setName(id, name);
  }

  #readIds({ name, ids }: BucketStatement): { ownId: number; shadows: Map<number, number> } {
    const { draft, notes } = this.#symbols;
    const shadows = new Map<number, number>();
    let ownId = 0;
    for (const { id, className } of ids) {
      notes(`bucket ${name} id ${id}${className === undefined ? '' : ` class '${className}'`}\n`);
      if (className === undefined) {
        ownId = id;
        continue;
      }
      // A class may have no devices left, and its shadow still be taken by a rule.
      const classId = draft.requireClass(className);
      if (shadows.has(classId)) {
        throw new CrushTextError(`duplicate device class ${className} for bucket ${name}\n`);
      }
      shadows.set(classId, id);
    }
    return { ownId, shadows };
  }

  /** Items at the places that they ask for, the others where there is room, with their weights. */
  #placeItems(statement: BucketStatement, alg: number): WeightedItem[] {
    const taken = takenPlaces(statement);
    const size = Math.max(statement.items.length, ...taken);
    const entries = new Array<WeightedItem>(size).fill([0, 0]);
    let free = 0;
    let sum = 0;
    let uniformWeight: number | undefined;
    for (const line of statement.items) {
      const item = this.#symbols.items.get(line.name);
      const where = `item '${line.name}' in bucket '${statement.name}'`;
      if (item === undefined) throw new CrushTextError(`${where} is not defined\n`);
      const weight = this.#weightOf(item, line);
      if (alg === BucketAlg.uniform) {
        uniformWeight ??= weight;
        if (weight !== uniformWeight)
          throw new CrushTextError(unequal(line.name, statement.name, weight, uniformWeight));
      }
      let pos = line.pos;
      if (pos !== undefined && pos >= size) throw new CrushTextError(`${where} has pos ${pos} >= size ${size}\n`);
      if (pos === undefined || pos < 0) {
        while (taken.has(free)) free += 1;
        pos = free++;
      }
      entries[pos] = [item, weight];
      sum += weight;
      if (sum > MAX_TOTAL) throw new CrushTextError(OVERFLOW);
    }
    return entries;
  }

  #weightOf(item: number, { weight }: BucketItemLine): number {
    if (weight === undefined) return this.#weights.get(item) ?? ONE;
    const fixed = fixedWeight(weight);
    if (item >= 0 && fixed > MAX_DEVICE_WEIGHT * ONE) {
      throw new CrushTextError(`device weight limited to ${MAX_DEVICE_WEIGHT}\n`);
    }
    if (item < 0 && fixed > MAX_BUCKET_WEIGHT * ONE) {
      throw new CrushTextError(`bucket weight limited to ${MAX_BUCKET_WEIGHT} to prevent overflow\n`);
    }
    return fixed;
  }

  #freeId(): number {
    let id = -1;
    while (this.#symbols.ids.has(id)) id -= 1;
    return id;
  }
}

const OVERFLOW = 'oh no! our bucket weights are overflowing all over the place, better lower the item weights\n';

/** A C float in fixed point, of which 32 bits are kept. */
export function fixedWeight(weight: number): number {
  const fixed = Math.trunc(Math.fround(weight * ONE));
  return Number.isFinite(fixed) ? Number(BigInt.asUintN(32, BigInt(fixed))) : 0;
}

function takenPlaces({ name, items }: BucketStatement): Set<number> {
  const taken = new Set<number>();
  for (const item of items) {
    if (item.pos === undefined) continue;
    if (taken.has(item.pos)) {
      throw new CrushTextError(
        `item '${item.name}' in bucket '${name}' has explicit pos ${item.pos}, which is occupied\n`,
      );
    }
    taken.add(item.pos);
  }
  return taken;
}

function algOf(name: string): number {
  const alg = Object.hasOwn(BucketAlg, name) ? BucketAlg[name as keyof typeof BucketAlg] : undefined;
  if (alg === undefined) throw new CrushTextError(`unknown bucket alg '${name}'\n\n`);
  return alg;
}

function totalWeight(entries: readonly WeightedItem[]): number {
  return entries.reduce((sum, [, weight]) => sum + weight, 0);
}

function unequal(item: string, bucket: string, weight: number, others: number): string {
  const first = formatFloat(Math.fround(others / ONE));
  return `item '${item}' in uniform bucket '${bucket}' has weight ${weight} but previous item(s) have weight ${first}; uniform bucket items must all have identical weights.\n`;
}

function refusal(id: number, failure: number): string {
  if (failure === Errno.EEXIST) return `Duplicate bucket id ${id}\n`;
  return 'add_bucket failed (12) Cannot allocate memory\n';
}
