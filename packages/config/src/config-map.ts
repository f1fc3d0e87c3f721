/**
 * What the monitors keep of options (mon/ConfigMap.cc): values for everyone, for a type of daemon or for one, some of them
 * only where a mask fits.
 *
 *   global/osd_max_backfills   osd/class:ssd/osd_max_backfills   osd/rack:r1/debug_ms   osd.3/osd_max_backfills
 */
import { EntityType } from '@spirula/encoding';
import { canUpdateAtRuntime, hasFlag, type Option, type OptionLevel } from './option.ts';
import { findOption } from './options.ts';

export interface OptionMask {
  /** A CRUSH type and the name of a bucket of it. */
  readonly locationType?: string;
  readonly locationValue?: string;
  readonly deviceClass?: string;
}

export interface ConfigTarget {
  /** `global`, a type of daemon, or one daemon; empty when only a mask is given, which means everyone. */
  readonly section: string;
  readonly mask: OptionMask;
}

export interface MaskedOption extends ConfigTarget {
  readonly name: string;
  readonly value: string;
  readonly level: OptionLevel;
  readonly canUpdateAtRuntime: boolean;
}

/** Where a daemon or client stands, as far as masks ask for it. */
export interface ConfigLocation {
  /** CRUSH types and the names of the buckets it is in. */
  readonly crush: ReadonlyMap<string, string>;
  readonly deviceClass: string;
}

/** Numbers of CRUSH types by name: the lower, the more a mask says. */
export type CrushTypeNumbers = ReadonlyMap<string, number>;

/** Reads `osd/class:ssd/host:a`; undefined when it names no kind of daemon (ConfigMap::parse_mask). */
export function parseTarget(who: string): ConfigTarget | undefined {
  let section = '';
  let mask: OptionMask = {};
  for (const part of who.split('/')) {
    const colon = part.indexOf(':');
    if (part === 'global') section = 'global';
    else if (colon >= 0) {
      const [key, value] = [part.slice(0, colon), part.slice(colon + 1)];
      mask = key === 'class' ? { ...mask, deviceClass: value } : { ...mask, locationType: key, locationValue: value };
    } else if (Object.hasOwn(EntityType, part.split('.', 1)[0]!)) section = part;
    else return undefined;
  }
  return { section, mask };
}

export function formatMask({ locationType, locationValue, deviceClass }: OptionMask): string {
  const location = locationType ? [`${locationType}:${locationValue}`] : [];
  return [...location, ...(deviceClass ? [`class:${deviceClass}`] : [])].join('/');
}

/** The key that a value is stored under. */
export function configKey({ section, mask }: ConfigTarget, name: string): string {
  const maskText = formatMask(mask);
  return `${section || 'global'}/${maskText === '' ? '' : `${maskText}/`}${name}`;
}

/** Splits such a key; names of options of manager modules hold slashes themselves. */
function parseConfigKey(key: string): { readonly who: string; readonly name: string } {
  const ofModule = key.indexOf('/mgr/');
  const slash = ofModule >= 0 ? ofModule : key.lastIndexOf('/');
  return { who: slash < 0 ? '' : key.slice(0, slash), name: key.slice(slash + 1) };
}

const UNKNOWN = { level: 'unknown', canUpdateAtRuntime: false } as const;
/** Of options of manager modules. */
const OF_MODULE = { level: 'advanced', canUpdateAtRuntime: true } as const;

function traitsOf(name: string, option: Option | undefined): Pick<MaskedOption, 'level' | 'canUpdateAtRuntime'> {
  if (option) return { level: option.level, canUpdateAtRuntime: canUpdateAtRuntime(option) };
  return name.startsWith('mgr/') ? OF_MODULE : UNKNOWN;
}

export class ConfigMap {
  /** By section, each in the order of its keys. */
  readonly #sections = new Map<string, MaskedOption[]>();

  /** Takes what is stored, in the order of keys. What cannot be the monitors' to say is left out. */
  constructor(stored: Iterable<readonly [key: string, value: string]>) {
    const entries = [...stored].flatMap(([key, value]) => {
      const { who, name } = parseConfigKey(key);
      const target = parseTarget(who === '' ? 'global' : who);
      const option = findOption(name);
      if (!target || (option && hasFlag(option, 'no_mon_update'))) return [];
      const section = target.section || 'global';
      return [{ section, mask: target.mask, name, value, ...traitsOf(name, option) }];
    });
    for (const entry of entries) {
      const section = this.#sections.get(entry.section) ?? [];
      section.push(entry);
      this.#sections.set(entry.section, section);
    }
    for (const section of this.#sections.values()) section.sort((a, b) => (a.name < b.name ? -1 : +(a.name > b.name)));
  }

  /** All of it as `config dump` orders it: everyone, then each type, and after it its daemons. */
  all(): MaskedOption[] {
    const names = [...this.#sections.keys()].sort();
    const ordered = ['mon', 'mgr', 'osd', 'mds', 'client'].flatMap((type) => [
      ...names.filter((name) => name === type),
      ...names.filter((name) => name.startsWith(`${type}.`)),
    ]);
    return ['global', ...ordered].flatMap((name) => this.#sections.get(name) ?? []);
  }

  /** What is kept for a section without a mask. */
  find(section: string, name: string): MaskedOption | undefined {
    return this.#sections.get(section)?.find((option) => option.name === name);
  }

  /**
   * What holds for one daemon or client, by name (ConfigMap::generate_entity_map). Later sections win: everyone, the type,
   * `client.a`, `client.a.b`; within a section a narrower mask does: a bucket, the smaller the narrower, then a class.
   */
  valuesFor(
    entity: { readonly type: string; readonly id: string },
    { crush, deviceClass }: ConfigLocation,
    types: CrushTypeNumbers,
  ): Map<string, MaskedOption> {
    const values = new Map<string, MaskedOption>();
    for (const section of sectionChain(entity)) {
      for (const option of this.#sections.get(section) ?? []) {
        const { mask } = option;
        if (mask.deviceClass && mask.deviceClass !== deviceClass) continue;
        if (mask.locationType && crush.get(mask.locationType) !== mask.locationValue) continue;
        const before = values.get(option.name);
        if (before?.section === section && breadth(before.mask, types) < breadth(mask, types)) continue;
        values.set(option.name, option);
      }
    }
    return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function sectionChain({ type, id }: { readonly type: string; readonly id: string }): string[] {
  const chain = ['global', type];
  for (const part of id.split('.')) chain.push(`${chain.at(-1)}.${part}`);
  return chain;
}

function breadth({ locationType, deviceClass }: OptionMask, types: CrushTypeNumbers): number {
  const number = locationType ? types.get(locationType) : undefined;
  return number ?? types.size + (deviceClass ? 0 : 1);
}
