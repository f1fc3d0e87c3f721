/** Documents about maps in the forms that Ceph's tool knows; in all others they are JSON. */
import { formatSection, type Section, sectionOf } from '@spirula/formatter';
import type { Form } from './request.ts';

const FORMS: ReadonlySet<string> = new Set([
  ...['json', 'json-pretty', 'xml', 'xml-pretty', 'html', 'html-pretty', 'table', 'table-kv'],
]);

/** What stands in lists has a name in some forms. */
const LISTED: Readonly<Record<string, string>> = {
  flags_set: 'flag',
  pools: 'pool',
  osds: 'osd',
  osd_xinfo: 'xinfo',
  pg_upmap: 'mapping',
  pg_upmap_items: 'mapping',
  mappings: 'mapping',
  pg_temp: 'osds',
  addrvec: 'addr',
  state: 'state',
  nodes: 'item',
  stray: 'item',
  children: 'child',
  detail: 'item',
  tiers: 'tier',
  pool_snaps: 'pool_snap_info',
};

export function formatDocument(name: string, document: object, form: Form): string {
  // Trees have lists of weights, named after pools.
  const otherwise = name === 'tree' ? 'weight' : 'item';
  const section = sectionOf(document, (list) => LISTED[list] ?? otherwise);
  const named = inside(section, {
    // The map's own list of OSDs has more of them than their numbers.
    osds: (osds) => renamed(osds, () => 'osd_info'),
    primary_temp: (pairs) => renamed(pairs, (at) => (at % 2 === 0 ? 'pgid' : 'osd')),
  });
  return formatSection(name, named, FORMS.has(form) ? form : 'json');
}

type Change = (section: Section) => Section;

/** The section with those in it changed that have these names. */
function inside(section: Section, changes: Readonly<Record<string, Change>>): Section {
  const entries = section.entries.map((entry) => {
    const change = changes[entry.name];
    return change === undefined || typeof entry.value !== 'object' ? entry : { ...entry, value: change(entry.value) };
  });
  return { ...section, entries };
}

function renamed(section: Section, nameOf: (at: number) => string): Section {
  return { ...section, entries: section.entries.map((entry, at) => ({ ...entry, name: nameOf(at) })) };
}
