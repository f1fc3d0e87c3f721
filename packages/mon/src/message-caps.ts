/** What a message takes to be heard by a monitor, where it takes anything. */
import { formatEntityName, MalformedCaps, OsdCaps } from '@spirula/auth';
import { type Message, PoolOpCode, type PoolOpMessage } from '@spirula/messages';
import type { AuthMonitor } from './auth-monitor.ts';
import type { Rights } from './rights.ts';

/** Type of message -> service and permissions. What its sender may not say is dropped, as Ceph does. */
const needed: Partial<Record<Message['type'], readonly [service: string, needs: string]>> = {
  statfs: ['pg', 'r'],
  get_pool_stats: ['pg', 'r'],
  log: ['log', 'w'],
  mgr_beacon: ['mgr', 'x'],
  osd_boot: ['osd', 'x'],
  osd_failure: ['osd', 'x'],
  osd_alive: ['osd', 'x'],
  osd_pgtemp: ['osd', 'x'],
  osd_beacon: ['osd', 'x'],
  osd_mark_me_down: ['osd', 'x'],
  osd_full: ['osd', 'x'],
};

export function maySay(rights: Rights, type: Message['type']): boolean {
  const need = needed[type];
  return need === undefined || rights.may(...need);
}

/** Whether an operation on a pool may be asked for; what may not is answered EPERM (OSDMonitor::enforce_pool_op_caps). */
export function mayOperate(
  rights: Rights,
  { op }: PoolOpMessage,
  pool: string | undefined,
  auth: AuthMonitor,
): boolean {
  if (rights.caps === undefined) return true;
  if (op !== PoolOpCode.createUnmanagedSnap && op !== PoolOpCode.deleteUnmanagedSnap) return rights.may('osd', 'w');
  // Who may write to a pool may keep snapshots of its own there, whatever it may do at monitors.
  const args = pool === undefined ? {} : { poolname: pool };
  const command = { sig: [], help: '', module: 'osd', perm: 'w', flags: 0 };
  if (rights.mayRun(command, 'osd pool op unmanaged-snap', args)) return true;
  const caps = auth.entity(formatEntityName(rights.entity))?.caps.get('osd');
  return caps !== undefined && mayWrite(caps, pool);
}

function mayWrite(caps: string, pool: string | undefined): boolean {
  try {
    return OsdCaps.parse(caps).mayWriteTo(pool);
  } catch (error) {
    if (!(error instanceof MalformedCaps)) throw error;
    return false;
  }
}
