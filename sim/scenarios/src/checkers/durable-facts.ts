/**
 * What of each object is certain from acknowledgements alone: the last change of its data, of an xattr, of an omap key, or
 * of whether it exists, where that was acknowledged and no other change overlapped it. Knows nothing of orders, so that a
 * mistake in the search for one is not made here again.
 */
import { type Bytes, compareBytes, EMPTY, type RawString } from '@spirula/encoding';
import { type Content, describeData, type Part } from '../object-model.ts';
import type { StoredCopy } from '../workloads/workload.ts';
import type { OperationId } from './object-history.ts';

/** `data`, `exists`, `xattr NAME`, `omap KEY`. */
type Field = string;

interface Facts {
  readonly underWay: Set<Change>;
  /** Undefined as a value: the field is known not to be there. */
  readonly certain: Map<Field, Bytes | undefined>;
  /** Changed by something that may yet take effect. */
  readonly doubtful: Set<Field>;
  /** A removal may yet take effect. */
  mayVanish: boolean;
}

interface Change {
  readonly facts: Facts;
  readonly parts: readonly Part[];
  overlapped: boolean;
}

const PRESENT = EMPTY;

export class DurableFacts {
  readonly #objects = new Map<RawString, Facts>();
  readonly #changes = new Map<OperationId, Change>();

  /** A change was asked for. */
  begin(id: OperationId, name: RawString, parts: readonly Part[]): void {
    let facts = this.#objects.get(name);
    if (facts === undefined) {
      facts = { underWay: new Set(), certain: new Map(), doubtful: new Set(), mayVanish: false };
      this.#objects.set(name, facts);
    }
    for (const other of facts.underWay) other.overlapped = true;
    const change: Change = { facts, parts, overlapped: facts.underWay.size > 0 };
    facts.underWay.add(change);
    this.#changes.set(id, change);
  }

  /** Ids of what is no change are ignored. */
  end(id: OperationId, outcome: 'done' | 'refused' | 'unknown'): void {
    const change = this.#changes.get(id);
    if (change === undefined) return;
    const { facts, parts, overlapped } = change;
    this.#changes.delete(id);
    facts.underWay.delete(change);
    if (outcome === 'refused') return;
    const removes = parts.some(({ kind }) => kind === 'remove');
    if (outcome === 'unknown') {
      facts.mayVanish ||= removes;
      for (const field of parts.flatMap(fieldsOf)) facts.doubtful.add(field);
    }
    if (outcome === 'unknown' || overlapped) {
      if (removes) facts.certain.clear();
      for (const field of parts.flatMap(fieldsOf)) facts.certain.delete(field);
    } else for (const part of parts) applyPart(facts, part);
  }

  findLost(copiesOf: (object: RawString) => readonly StoredCopy[]): string[] {
    const lost: string[] = [];
    for (const [name, { certain, doubtful, mayVanish, underWay }] of this.#objects) {
      if (underWay.size > 0 || mayVanish) continue;
      const facts = [...certain].filter(([field]) => !doubtful.has(field));
      if (facts.length === 0) continue;
      for (const { osd, content } of copiesOf(name)) {
        for (const [field, value] of facts) {
          const stored = read(content, field);
          if (isSame(stored, value)) continue;
          lost.push(`osd.${osd}: ${name}: ${field} is ${describe(stored)}; acknowledged last was ${describe(value)}`);
        }
      }
    }
    return lost;
  }
}

function applyPart({ certain }: Facts, part: Part): void {
  switch (part.kind) {
    case 'remove':
      certain.clear();
      certain.set('exists', undefined);
      return;
    case 'writeFull':
      certain.set('data', part.data);
      break;
    case 'createExclusive':
      certain.clear();
      certain.set('data', EMPTY);
      break;
    case 'write':
    case 'append':
      certain.delete('data');
      break;
    case 'truncate':
      certain.delete('data');
      return;
    case 'setXattr':
      certain.set(`xattr ${part.name}`, part.value);
      break;
    case 'omapSet':
      certain.set(`omap ${part.key}`, part.value);
      break;
    case 'omapRm':
      certain.set(`omap ${part.key}`, undefined);
      break;
    default:
      return;
  }
  certain.set('exists', PRESENT);
}

function fieldsOf(part: Part): Field[] {
  switch (part.kind) {
    case 'write':
    case 'writeFull':
    case 'append':
    case 'createExclusive':
      return ['data', 'exists'];
    case 'truncate':
      return ['data'];
    case 'setXattr':
      return [`xattr ${part.name}`, 'exists'];
    case 'omapSet':
      return [`omap ${part.key}`, 'exists'];
    case 'omapRm':
      return [`omap ${part.key}`];
    case 'remove':
      return ['exists'];
    default:
      return [];
  }
}

function read(content: Content | undefined, field: Field): Bytes | undefined {
  if (content === undefined) return undefined;
  if (field === 'exists') return PRESENT;
  if (field === 'data') return content.data;
  const [kind, name] = [field.slice(0, field.indexOf(' ')), field.slice(field.indexOf(' ') + 1)];
  return kind === 'xattr' ? content.xattrs.get(name) : content.omap.get(name);
}

function isSame(a: Bytes | undefined, b: Bytes | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareBytes(a, b) === 0;
}

function describe(value: Bytes | undefined): string {
  return value === undefined ? 'nothing' : `${value.length} bytes ${describeData(value)}`;
}
