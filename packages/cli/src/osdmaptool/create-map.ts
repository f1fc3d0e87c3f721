/** `--createsimple` and `--create-from-conf`: maps from nothing. */
import type { ConfSections } from '@spirula/config';
import type { OsdId, UTime } from '@spirula/encoding';
import { emptyOsdMap, type OsdMap, type PlacedOsd, placedCrush, simpleCrush, simpleMap } from '@spirula/maps';
import { logLine } from './log-line.ts';
import { Refusal } from './refusal.ts';
import type { Request } from './request.ts';
import type { Settings } from './settings.ts';
import type { OsdMapToolIo } from './tool-io.ts';

/** Options of a place, in the order in which Ceph asks for them. */
const PLACES = ['host', 'rack', 'row', 'room', 'datacenter'];
const UNKNOWN: Readonly<Record<string, string>> = { host: 'unknownhost', rack: 'unknownrack' };

/** @throws Refusal */
export function createMap(request: Request, conf: ConfSections, setting: Settings, io: OsdMapToolIo): OsdMap {
  const now = io.now();
  if (request.createSimple) {
    if (request.osds < 1) throw new Refusal('osdmaptool: osd count must be > 0');
    return withOptions(simpleCrush(request.osds), request.osds, request, setting, now);
  }
  const placed = placedOsds(conf);
  const most = setting('mon_max_osd', 10_000);
  const beyond = placed.find(({ osd }) => osd > most);
  if (beyond !== undefined) {
    logLine(`[osd.${beyond.osd}] in config has id > mon_max_osd ${most}`, io);
    return { ...emptyOsdMap(new Uint8Array(16)), created: now, modified: now };
  }
  const maxOsd = Math.max(0, ...placed.map(({ osd }) => osd)) + 1;
  return withOptions(placedCrush(placed), maxOsd, request, setting, now);
}

function withOptions(
  crush: ReturnType<typeof simpleCrush>,
  maxOsd: number,
  { withDefaultPool, pgBits, pgpBits }: Request,
  setting: Settings,
  now: UTime,
): OsdMap {
  const options = {
    osd_crush_chooseleaf_type: setting('osd_crush_chooseleaf_type', 1),
    osd_pool_default_size: setting('osd_pool_default_size', 3),
    osd_pool_default_min_size: setting('osd_pool_default_min_size', 0),
    osd_pool_default_crush_rule: setting('osd_pool_default_crush_rule', -1),
    osd_pool_default_pg_autoscale_mode: setting('osd_pool_default_pg_autoscale_mode', 'on'),
    osd_pool_default_flag_hashpspool: setting('osd_pool_default_flag_hashpspool', true),
    osd_pool_default_flag_nodelete: setting('osd_pool_default_flag_nodelete', false),
    osd_pool_default_flag_nopgchange: setting('osd_pool_default_flag_nopgchange', false),
    osd_pool_default_flag_nosizechange: setting('osd_pool_default_flag_nosizechange', false),
  };
  const pool = withDefaultPool ? { pgBits, pgpBits } : undefined;
  return simpleMap(crush, maxOsd, pool, erasureCodeProfile(setting), options, now);
}

/** `plugin=jerasure k=2`. */
function erasureCodeProfile(setting: Settings): ReadonlyMap<string, string> {
  const words = setting('osd_pool_default_erasure_code_profile', '').split(/\s+/).filter(Boolean);
  return new Map(
    words.map((word) => {
      const [, name = word, value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? [];
      return [name, value];
    }),
  );
}

/** The OSDs that have a section; what `[osd]` says of a place goes before what their own say. */
function placedOsds(conf: ConfSections): PlacedOsd[] {
  const sections = [...conf].sort(([a], [b]) => (a < b ? -1 : 1));
  return sections.flatMap(([section, own]) => {
    const number = /^osd\.(\d+)$/.exec(section)?.[1];
    if (number === undefined) return [];
    const location = new Map<string, string>();
    for (const type of PLACES) {
      const name = conf.get('osd')?.get(type) ?? own.get(type);
      const known = name === undefined || name === '' ? UNKNOWN[type] : name;
      if (known !== undefined) location.set(type, known);
    }
    return [{ osd: Number(number) as OsdId, location }];
  });
}
