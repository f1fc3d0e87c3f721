/** Which messages belong together, and what states of PGs mean: a color each. */

export interface Family {
  readonly name: string;
  /** Custom property of the style sheet. */
  readonly color: string;
  readonly types: RegExp;
  /** Not drawn until asked for: so many that nothing else would be seen. */
  readonly quiet?: boolean;
}

/** The first whose pattern fits. */
export const families: readonly Family[] = [
  { name: 'client', color: '--client', types: /^(osd_op|osd_op_reply|osd_backoff|command.*|mgr_command.*)$/ },
  { name: 'replication', color: '--replication', types: /^osd_repop/ },
  { name: 'keepalive and leases', color: '--keepalive', types: /^(osd_ping|ping|osd_link.*|pg_lease.*)$/, quiet: true },
  { name: 'recovery', color: '--recovery', types: /^pg_(pull|push|scan|backfill|reserve|remove)/ },
  { name: 'peering', color: '--peering', types: /^pg_(notify|query|log|info)/ },
  { name: 'monitors', color: '--monitors', types: /^mon_(paxos|election|probe|sync|global_id|forward|route)$/ },
  { name: 'maps and subscriptions', color: '--maps', types: /(_map|^config|^mon_get_.*|^mon_subscribe)$/ },
  { name: 'reports', color: '--reports', types: /./ },
];

export function familyOf(type: string): number {
  return families.findIndex(({ types }) => types.test(type));
}

/** The custom property for a PG's state, as `pg dump` shows it. */
export function colorOfPgState(state: string): string {
  if (/unknown|down|incomplete|inconsistent|unfound/.test(state)) return '--bad';
  if (/peering|activating|laggy|wait/.test(state)) return '--peering-band';
  if (/recover|backfill|remapped/.test(state)) return '--recovery-band';
  if (/undersized|degraded/.test(state)) return '--warn';
  return state.includes('clean') ? '--good' : '--warn';
}

export function colorOfHealth(status: string): string {
  if (status === 'HEALTH_OK') return '--good';
  return status === 'HEALTH_WARN' ? '--warn' : '--bad';
}
