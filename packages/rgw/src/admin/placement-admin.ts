/**
 * Placement targets and storage classes (`zonegroup placement`, `zone placement`; rgw_admin.cc): the zonegroup says which there are,
 * the zone where each puts its data. Gateways learn of it when they start.
 */
import { type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import { BucketIndexType } from '../formats/bucket-layout.ts';
import { type PlacementRule, parsePlacementRule, STANDARD_STORAGE_CLASS } from '../formats/placement-rule.ts';
import type { StorageClass, ZoneParams, ZonePlacement } from '../formats/zone.ts';
import type { PlacementTarget, Zonegroup } from '../formats/zonegroup.ts';
import type { StoredZone } from '../store/zone.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import type { AdminOptions } from './command-options.ts';

/** Compressor::get_comp_alg_type, and what a zone takes besides. */
const COMPRESSORS = ['none', 'snappy', 'zlib', 'zstd', 'lz4', 'random'];
const INDEX_TYPES: Readonly<Record<string, number>> = {
  normal: BucketIndexType.normal,
  indexless: BucketIndexType.indexless,
};
const NEW_PLACEMENT: ZonePlacement = {
  indexPool: '',
  dataExtraPool: '',
  indexType: BucketIndexType.normal,
  storageClasses: new Map(),
};

export class PlacementAdmin {
  readonly #stored: StoredZone;

  constructor(stored: StoredZone) {
    this.#stored = stored;
  }

  async listTargets(): Promise<unknown> {
    return targetsJson(await this.#stored.zonegroup.read());
  }

  /** Adds a placement target, a storage class of one, and tags; what is there stays. @throws AdminError EINVAL */
  async putTarget(options: AdminOptions): Promise<unknown> {
    const { id, rule } = placementOf(options);
    const changed = await this.#stored.zonegroup.change((zonegroup) => {
      const before = zonegroup.placementTargets.get(id);
      const storageClasses = new Set(before?.storageClasses).add(rule.storageClass || STANDARD_STORAGE_CLASS);
      const target: PlacementTarget = { name: id, tags: tagsOf(options, before?.tags ?? new Set()), storageClasses };
      return { ...zonegroup, placementTargets: new Map(zonegroup.placementTargets).set(id, target) };
    });
    return targetsJson(changed);
  }

  /** A storage class if one is named, else the placement target. */
  async removeTarget(options: AdminOptions): Promise<unknown> {
    const { id } = placementOf(options);
    const storageClass = rawFromText(options.get('storage-class') ?? '');
    const changed = await this.#stored.zonegroup.change((zonegroup) => {
      const placementTargets = new Map(zonegroup.placementTargets);
      const target = placementTargets.get(id);
      if (storageClass === '' || !target) placementTargets.delete(id);
      else {
        const storageClasses = new Set([...target.storageClasses].filter((each) => each !== storageClass));
        placementTargets.set(id, { ...target, storageClasses });
      }
      return { ...zonegroup, placementTargets };
    });
    return targetsJson(changed);
  }

  /** Where new buckets are that nobody says more of. @throws AdminError EINVAL; ENOENT: there is no such placement target */
  async setDefault(options: AdminOptions): Promise<unknown> {
    const { id, rule } = placementOf(options);
    const changed = await this.#stored.zonegroup.change((zonegroup) => {
      if (!zonegroup.placementTargets.has(id)) {
        const problem = `failed to find a zonegroup placement target named '${textFromRaw(id)}'`;
        throw new AdminError(-AdminCode.ENOENT, problem);
      }
      return { ...zonegroup, defaultPlacement: rule };
    });
    return targetsJson(changed);
  }

  async listPlacements(): Promise<unknown> {
    return placementsJson(await this.#stored.params.read());
  }

  /** Says where a storage class puts its data. @throws AdminError EINVAL */
  async putPlacement(options: AdminOptions): Promise<ZoneParams> {
    const { id } = placementOf(options);
    const compression = options.get('compression');
    if (compression !== undefined && !COMPRESSORS.includes(compression)) {
      throw new AdminError(AdminCode.EINVAL, 'Unrecognized compression type');
    }
    const storageClass = rawFromText(options.get('storage-class') ?? '') || STANDARD_STORAGE_CLASS;
    requireDefined(await this.#stored.zonegroup.read(), id, storageClass);
    return await this.#stored.params.change((zone) => {
      const before = zone.placements.get(id) ?? NEW_PLACEMENT;
      const given = (name: string) => rawFromText(options.get(name) ?? '');
      const indexPool = given('index-pool') || before.indexPool;
      if (indexPool === '') throw notConfigured('index');
      const old = before.storageClasses.get(storageClass);
      const dataPool = given('data-pool') || (old?.dataPool ?? '');
      if (dataPool === '') throw notConfigured('data');
      const changed: StorageClass = { dataPool, compression: compression ?? old?.compression ?? '' };
      const placement: ZonePlacement = {
        indexPool,
        dataExtraPool: options.has('data-extra-pool') ? given('data-extra-pool') : before.dataExtraPool,
        indexType: indexTypeOf(options) ?? before.indexType,
        storageClasses: new Map(before.storageClasses).set(storageClass, changed),
      };
      return { ...zone, placements: new Map(zone.placements).set(id, placement) };
    });
  }

  /** A storage class if one is named, else the whole placement. */
  async removePlacement(options: AdminOptions): Promise<ZoneParams> {
    const { id } = placementOf(options);
    const storageClass = rawFromText(options.get('storage-class') ?? '');
    return await this.#stored.params.change((zone) => {
      const placements = new Map(zone.placements);
      const placement = placements.get(id);
      if (storageClass === '' || !placement) placements.delete(id);
      else {
        const storageClasses = new Map([...placement.storageClasses].filter(([name]) => name !== storageClass));
        placements.set(id, { ...placement, storageClasses });
      }
      return { ...zone, placements };
    });
  }
}

/** `--placement-id`, and the storage class that stands behind its slash or in `--storage-class`. @throws AdminError EINVAL */
function placementOf(options: AdminOptions): { readonly id: RawString; readonly rule: PlacementRule } {
  const id = rawFromText(options.get('placement-id') ?? '');
  if (id === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: --placement-id not specified');
  const rule = parsePlacementRule(id);
  const storageClass = rawFromText(options.get('storage-class') ?? '');
  if (rule.storageClass !== '' && storageClass !== '' && rule.storageClass !== storageClass) {
    throw new AdminError(AdminCode.EINVAL, 'ERROR: provided contradicting storage class configuration');
  }
  return { id, rule: { ...rule, storageClass: rule.storageClass || storageClass } };
}

function tagsOf(options: AdminOptions, before: ReadonlySet<RawString>): Set<RawString> {
  const listed = (name: string) => listOf(options.get(name) ?? '').map(rawFromText);
  const given = listed('tags');
  const tags = new Set(given.length > 0 ? given : before);
  for (const tag of listed('tags-rm')) tags.delete(tag);
  for (const tag of listed('tags-add')) tags.add(tag);
  return tags;
}

function listOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter((each) => each !== '');
}

/** @throws AdminError EINVAL */
function requireDefined({ placementTargets }: Zonegroup, id: RawString, storageClass: RawString): void {
  const target = placementTargets.get(id);
  const name = textFromRaw(id);
  if (!target) {
    const problem = `ERROR: placement id '${name}' is not configured in zonegroup placement targets`;
    throw new AdminError(AdminCode.EINVAL, problem);
  }
  if (!target.storageClasses.has(storageClass)) {
    const what = `storage class '${textFromRaw(storageClass)}'`;
    throw new AdminError(AdminCode.EINVAL, `ERROR: ${what} is not defined in zonegroup '${name}' placement target`);
  }
}

function notConfigured(kind: 'index' | 'data'): AdminError {
  return new AdminError(AdminCode.EINVAL, `ERROR: ${kind} pool not configured, need to specify --${kind}-pool`);
}

/** Undefined: it is not given. @throws AdminError EINVAL */
function indexTypeOf(options: AdminOptions): number | undefined {
  const text = options.get('placement-index-type');
  if (text === undefined) return undefined;
  const type = INDEX_TYPES[text] ?? (/^[01]$/.test(text) ? Number(text) : undefined);
  if (type === undefined) {
    const problem = `Expected option value to be integer, got '${text}'`;
    throw new AdminError(AdminCode.EINVAL, `ERROR: failed to parse index type index: ${problem}`);
  }
  return type;
}

/** As radosgw-admin prints them (RGWZoneGroupPlacementTarget::dump). */
export function targetsJson({ placementTargets }: Zonegroup) {
  return ascendingTexts(placementTargets).map(([key, target]) => ({ key, val: targetJson(target) }));
}

function targetJson({ name, tags, storageClasses }: PlacementTarget) {
  const sorted = (texts: ReadonlySet<RawString>) => [...texts].sort((a, b) => (a < b ? -1 : 1)).map(textFromRaw);
  return { name: textFromRaw(name), tags: sorted(tags), storage_classes: sorted(storageClasses) };
}

/** As radosgw-admin prints the placements of a zone (RGWZonePlacementInfo::dump). */
export function placementsJson({ placements }: Pick<ZoneParams, 'placements'>) {
  return ascendingTexts(placements).map(([key, { indexPool, storageClasses, dataExtraPool, indexType }]) => ({
    key,
    val: {
      index_pool: textFromRaw(indexPool),
      storage_classes: Object.fromEntries(
        ascendingTexts(storageClasses).map(([name, { dataPool, compression }]) => [
          name,
          {
            ...(dataPool !== '' && { data_pool: textFromRaw(dataPool) }),
            ...(compression !== '' && { compression_type: textFromRaw(compression) }),
          },
        ]),
      ),
      data_extra_pool: textFromRaw(dataExtraPool),
      index_type: indexType,
    },
  }));
}

function ascendingTexts<T>(entries: ReadonlyMap<RawString, T>): [string, T][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [textFromRaw(name), value]);
}
