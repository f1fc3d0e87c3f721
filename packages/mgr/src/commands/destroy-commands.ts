/**
 * Whether OSDs may go, and their end (mgr/DaemonServer.cc: `osd safe-to-destroy`, `osd destroy`, `osd purge`). Whether it is
 * safe is seen here, in what OSDs report of PGs; the monitors carry it out.
 */
import { Errno, type OsdId } from '@spirula/encoding';
import { hasPgState, UNKNOWN } from '@spirula/formatter';
import { osdExists, osdUp } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  type Delegated,
  describe,
  describeChange,
  formatJson,
  invalid,
  type MgrCommandEntry,
  parseOsd,
  refuse,
  succeed,
  wantsJson,
} from './command.ts';
import { findOsds } from './osd-arguments.ts';

const ID = { name: 'id', type: 'CephOsdName' } as const;
const FORCE = { name: 'force', type: 'CephBool', req: 'false' } as const;
/** What `--force` was called before; both are understood. */
const SURE = { name: 'yes_i_really_mean_it', type: 'CephBool', req: 'false' } as const;

export const destroyCommands: readonly MgrCommandEntry[] = [
  describe(
    ['osd', 'safe-to-destroy', { name: 'ids', type: 'CephString', n: 'N' }],
    'tell whether OSDs can be destroyed without less data being safe',
    osdSafeToDestroy,
  ),
  describeChange(
    ['osd', 'destroy', ID, FORCE, SURE],
    'mark an OSD as destroyed; another may be made under its number',
    (args, context) => endOsd('osd destroy', args, context),
  ),
  describeChange(['osd', 'purge', ID, FORCE, SURE], 'remove an OSD, its number and its place', (args, context) =>
    endOsd('osd purge', args, context),
  ),
];

/** OSDs by what would be lost with them. */
interface Safety {
  readonly safe: readonly OsdId[];
  /** PGs are mapped to them. */
  readonly active: readonly OsdId[];
  readonly missingStats: readonly OsdId[];
  /** PGs that are not mapped to them may still lie there. */
  readonly storing: readonly OsdId[];
  /** 0, or the errno that says why not all are safe. */
  readonly code: number;
  readonly status: string;
}

function judgeSafety(osds: readonly OsdId[], { map, pgMap }: CommandContext): Safety {
  const records = pgMap.pgs();
  const unknown = records.filter(({ stat }) => stat.state === UNKNOWN).length;
  if (unknown > 0) {
    const status = `${unknown} pgs have unknown state; cannot draw any conclusions`;
    return { safe: [], active: [], missingStats: [], storing: [], code: Errno.EAGAIN, status };
  }
  const allClean = records.every(({ stat }) => hasPgState(stat.state, 'active') && hasPgState(stat.state, 'clean'));
  const safe: OsdId[] = [];
  const active: OsdId[] = [];
  const missingStats: OsdId[] = [];
  const storing: OsdId[] = [];
  let affected = 0;
  for (const osd of osds) {
    const mapped = records.filter(({ stat }) => stat.acting.includes(osd) || stat.up.includes(osd)).length;
    const stat = pgMap.osdStats.get(osd);
    if (!osdExists(map, osd)) safe.push(osd);
    else if (mapped > 0) {
      active.push(osd);
      affected += mapped;
    } else if (allClean) safe.push(osd);
    else if (stat === undefined || !osdUp(map, osd)) missingStats.push(osd);
    else if (stat.numPgs > 0) storing.push(osd);
    else safe.push(osd);
  }
  const fine = safe.length === osds.length;
  const status = [
    safe.length > 0 ? `OSD(s) ${safe.join(',')} are safe to destroy without reducing data durability. ` : '',
    active.length > 0 ? `OSD(s) ${active.join(',')} have ${affected} pgs currently mapped to them. ` : '',
    missingStats.length > 0
      ? `OSD(s) ${missingStats.join(',')} have no reported stats, and not all PGs are active+clean; ` +
        'we cannot draw any conclusions. '
      : '',
    storing.length > 0
      ? `OSD(s) ${storing.join(',')} last reported they still store some PG data, and not all PGs are active+clean; ` +
        "we cannot be sure they aren't still needed."
      : '',
  ].join('');
  const busy = active.length + storing.length > 0;
  const code = fine ? 0 : busy ? Errno.EBUSY : Errno.EAGAIN;
  return { safe, active, missingStats, storing, code, status: fine ? status.trimEnd() : status };
}

function osdSafeToDestroy(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osds = findOsds(args, context);
  if ('code' in osds) return osds;
  const { safe, active, missingStats, storing, code, status } = judgeSafety(osds, context);
  if (!wantsJson(args)) return code === 0 ? succeed('', status) : refuse(code, status);
  return succeed(formatJson(args, { safe_to_destroy: safe, active, missing_stats: missingStats, stored_pgs: storing }));
}

function endOsd(prefix: string, args: CommandArgs, context: CommandContext): CommandOutcome | Delegated {
  const osd = parseOsd(args['id']);
  if (osd === undefined) return invalid(`invalid osd id ${String(args['id'])}`);
  const { code, status } = judgeSafety([osd], context);
  const forced = [args['force'], args['yes_i_really_mean_it']].some((each) => each === true || each === 'true');
  if (code !== 0 && !forced) {
    const warning =
      'You can proceed by passing --force, but be warned that this will likely mean real, permanent data loss.';
    return refuse(code, `${status}\n${warning}`);
  }
  return { delegate: { prefix: `${prefix}-actual`, id: osd, yes_i_really_mean_it: true } };
}
