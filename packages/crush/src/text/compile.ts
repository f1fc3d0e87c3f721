/**
 * Makes a CRUSH map of its source (CrushCompiler::compile).
 *
 *   source -> squeezed text (`source-text.ts`) -> statements (`syntax.ts`) -> map
 */
import { emptyCrushMap } from '../builder.ts';
import { LEGACY_TUNABLES } from '../codec.ts';
import type { CrushMap, CrushTunables } from '../crush-map.ts';
import { CrushDraft } from '../draft.ts';
import { populateShadowTrees } from '../shadow-trees.ts';
import { BucketCompiler } from './compile-bucket.ts';
import { compileChooseArgs } from './compile-choose-args.ts';
import { compileRule } from './compile-rule.ts';
import { type Notes, SymbolTable } from './compile-symbols.ts';
import { Scanner } from './scanner.ts';
import { placeOf, readSource } from './source-text.ts';
import {
  type BucketStatement,
  type DeviceStatement,
  readStatements,
  type Statement,
  type TunableStatement,
} from './syntax.ts';
import { CrushTextError } from './text-error.ts';

export interface CompileOptions {
  /** What errors call the source: its file. */
  readonly file: string;
  /** Is told of each statement, in a line. */
  readonly notes?: Notes;
}

/**
 * The map that the text stands for. Tunables that it does not name have the values they had before there were tunables.
 *
 * @throws CrushTextError with what Ceph's compiler says.
 */
export function compileCrushMap(source: string, { file, notes = () => {} }: CompileOptions): CrushMap {
  const statements = inOrder(parse(source, file));
  const draft = new CrushDraft({ ...emptyCrushMap(), typeNames: new Map(), tunables: LEGACY_TUNABLES });
  const symbols = new SymbolTable(draft, notes);
  const buckets = new BucketCompiler(symbols, statements);
  let sawRule = false;
  for (const statement of statements) {
    switch (statement.kind) {
      case 'tunable':
        setTunable(draft, statement);
        notes(`tunable ${statement.name} ${statement.value}\n`);
        break;
      case 'device':
        addDevice(symbols, statement);
        break;
      case 'type':
        notes(`type ${statement.type} '${statement.name}'\n`);
        symbols.types.set(statement.name, statement.type);
        draft.typeNames.set(statement.type, statement.name);
        break;
      case 'bucket':
        if (sawRule) throw new CrushTextError('buckets must be defined before rules\n');
        buckets.compile(statement);
        break;
      case 'rule':
        // Shadow trees are there from the first rule on; where one cannot be made, Ceph goes on without it.
        if (!sawRule) populateShadowTrees(draft, buckets.shadowIds);
        sawRule = true;
        compileRule(symbols, statement);
        break;
      case 'choose_args':
        compileChooseArgs(draft, statement);
    }
  }
  draft.finalize();
  return draft.toMap();
}

function parse(source: string, file: string): Statement[] {
  const read = readSource(source);
  const scan = new Scanner(read.text);
  const statements = readStatements(scan);
  if (scan.isAtEnd()) return statements;
  const place = placeOf(read, scan.at);
  throw new CrushTextError(`${file}:${place.line} error: parse error at '${place.rest}'\n`, place);
}

/**
 * Statements with buckets after those they hold (adjust_bucket_item_place). Each pair is looked at once, by name, and swaps
 * places where the first holds the second: enough for simple cases only.
 */
function inOrder(statements: readonly Statement[]): Statement[] {
  const ordered = [...statements];
  const placeByName = new Map<string, number>();
  const itemsByName = new Map<string, Set<string>>();
  const names: string[] = [];
  for (const [place, statement] of ordered.entries()) {
    if (statement.kind !== 'bucket') continue;
    names.push(statement.name);
    placeByName.set(statement.name, place);
    const items = itemsByName.get(statement.name) ?? new Set();
    for (const { name } of statement.items) items.add(name);
    itemsByName.set(statement.name, items);
  }
  for (const [i, first] of names.entries()) {
    for (const second of names.slice(i + 1)) {
      if (!itemsByName.get(first)!.has(second)) continue;
      if (itemsByName.get(second)!.has(first)) {
        throw new CrushTextError(`bucket  '${first}' and bucket '${second}' are included each other\n`);
      }
      const [a, b] = [placeByName.get(first)!, placeByName.get(second)!];
      [ordered[a], ordered[b]] = [ordered[b] as BucketStatement, ordered[a] as BucketStatement];
    }
  }
  return ordered;
}

/** Fields of one byte keep the last eight bits. */
const TUNABLES: Readonly<Record<string, (value: number) => Partial<CrushTunables>>> = {
  choose_local_tries: (value) => ({ chooseLocalTries: value >>> 0 }),
  choose_local_fallback_tries: (value) => ({ chooseLocalFallbackTries: value >>> 0 }),
  choose_total_tries: (value) => ({ chooseTotalTries: value >>> 0 }),
  chooseleaf_descend_once: (value) => ({ chooseleafDescendOnce: value === 0 ? 0 : value >>> 0 }),
  chooseleaf_vary_r: (value) => ({ chooseleafVaryR: value & 0xff }),
  chooseleaf_stable: (value) => ({ chooseleafStable: value & 0xff }),
  straw_calc_version: (value) => ({ strawCalcVersion: value & 0xff }),
  allowed_bucket_algs: (value) => ({ allowedBucketAlgs: value >>> 0 }),
};

function setTunable(draft: CrushDraft, { name, value }: TunableStatement): void {
  const change = Object.hasOwn(TUNABLES, name) ? TUNABLES[name] : undefined;
  if (change === undefined) throw new CrushTextError(`tunable ${name} not recognized\n`);
  draft.tunables = { ...draft.tunables, ...change(value) };
}

function addDevice(symbols: SymbolTable, { id, name, className }: DeviceStatement): void {
  const { draft } = symbols;
  if (symbols.items.has(name)) throw new CrushTextError(`item ${name} defined twice\n`);
  draft.setName(id, name);
  symbols.define(id, name);
  if (className !== undefined) draft.deviceClass.set(id, draft.requireClass(className));
  symbols.notes(`device ${id} '${name}'${className === undefined ? '' : ` class '${className}'`}\n`);
}
