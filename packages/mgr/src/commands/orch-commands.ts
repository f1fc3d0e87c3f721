/** `ceph orch …` of a cluster without an orchestrator (pybind/mgr/orchestrator). */
import { Errno } from '@spirula/encoding';
import {
  alike,
  type CommandArgs,
  type CommandOutcome,
  invalid,
  type MgrCommandEntry,
  refuse,
  succeed,
} from './command.ts';

const FORMAT = '[format:plain|json|json-pretty|yaml|xml-pretty|xml]';
const SERVICES =
  'mon|mgr|rbd-mirror|cephfs-mirror|crash|alertmanager|grafana|node-exporter|prometheus|mds|rgw|nfs|iscsi|' +
  'cephadm-exporter|snmp-gateway';
const NONE = 'No orchestrator configured (try `ceph orch set backend`)';
const HELP = 'answered as Ceph does where no orchestrator is configured';
const APPLY_USAGE = `Usage:
  ceph orch apply -i <yaml spec> [--dry-run]
  ceph orch apply <service_type> [--placement=<placement_string>] [--unmanaged]
        `;
const DAEMON_ADD_USAGE = `Usage:
    ceph orch daemon add -i <json_file>
    ceph orch daemon add <daemon_type> <placement>`;

const signatures = [
  'rw orch host add <hostname> [addr] [labels...] [maintenance:bool]',
  'rw orch host rm <hostname> [force:bool] [offline:bool]',
  'rw orch host drain <hostname> [force:bool]',
  'rw orch host set-addr <hostname> <addr>',
  `r orch host ls ${FORMAT} [host_pattern] [label] [host_status]`,
  'rw orch host label add <hostname> <label>',
  'rw orch host label rm <hostname> <label> [force:bool]',
  'rw orch host ok-to-stop <hostname>',
  'rw orch host maintenance enter <hostname> [force:bool]',
  'rw orch host maintenance exit <hostname>',
  'rw orch host rescan <hostname> [with_summary:bool]',
  `r orch device ls [hostname...] ${FORMAT} [refresh:bool] [wide:bool]`,
  'rw orch device zap <hostname> <path> [force:bool]',
  `r orch ls [service_type] [service_name] [export:bool] ${FORMAT} [refresh:bool]`,
  `r orch ps [hostname] [service_name] [daemon_type] [daemon_id] ${FORMAT} [refresh:bool]`,
  `rw orch apply osd [all_available_devices:bool] ${FORMAT} [unmanaged:bool] [dry_run:bool] [no_overwrite:bool]`,
  'rw orch daemon add osd [svc_arg] [method:raw|lvm]',
  'rw orch osd rm <osd_id...> [replace:bool] [force:bool] [zap:bool] [no_destroy:bool]',
  'rw orch osd rm stop <osd_id...>',
  `rw orch osd rm status ${FORMAT}`,
  'rw orch daemon add mds <fs_name> [placement]',
  'rw orch daemon add rgw <svc_id> [placement] [port:int] [ssl:bool]',
  'rw orch daemon add nfs <svc_id> [placement]',
  'rw orch daemon add iscsi <pool> <api_user> <api_password> [trusted_ip_list] [placement]',
  'rw orch <action:start|stop|restart|redeploy|reconfig> <service_name>',
  'rw orch daemon <action:start|stop|restart|reconfig> <name>',
  'rw orch daemon redeploy <name> [image]',
  'rw orch daemon rm <names...> [force:bool]',
  'rw orch rm <service_name> [force:bool]',
  `rw orch apply mds <fs_name> [placement] [dry_run:bool] [unmanaged:bool] ${FORMAT} [no_overwrite:bool]`,
  `rw orch apply rgw <svc_id> [placement] [realm] [zone] [networks...] [port:int] [ssl:bool] [dry_run:bool] ${FORMAT} [unmanaged:bool] [no_overwrite:bool]`,
  `rw orch apply nfs <svc_id> [placement] ${FORMAT} [port:int] [dry_run:bool] [unmanaged:bool] [no_overwrite:bool]`,
  `rw orch apply iscsi <pool> <api_user> <api_password> [trusted_ip_list] [placement] [unmanaged:bool] [dry_run:bool] ${FORMAT} [no_overwrite:bool]`,
  `rw orch apply snmp-gateway <snmp_version:V2c|V3> <destination> [port:int] [engine_id] [auth_protocol:MD5|SHA] [privacy_protocol:DES|AES] [placement] [unmanaged:bool] [dry_run:bool] ${FORMAT} [no_overwrite:bool]`,
  'rw orch pause',
  'rw orch resume',
  'rw orch cancel',
  `r orch status [detail:bool] ${FORMAT}`,
  'rw orch upgrade check [image] [ceph_version]',
  'r orch upgrade ls [image] [tags:bool]',
  'rw orch upgrade status',
  'rw orch upgrade start [image] [ceph_version] [daemon_types] [hosts] [services] [limit:int]',
  'rw orch upgrade pause',
  'rw orch upgrade resume',
  'rw orch upgrade stop',
];

export const orchCommands: readonly MgrCommandEntry[] = [
  ...alike(signatures, HELP, noOrchestrator),
  ...alike(
    [
      `rw orch apply [service_type:${SERVICES}] [placement] [dry_run:bool] ${FORMAT} [unmanaged:bool] [no_overwrite:bool]`,
    ],
    HELP,
    (args) => (args['service_type'] === undefined ? invalid(APPLY_USAGE) : noOrchestrator()),
  ),
  ...alike([`rw orch daemon add [daemon_type:${SERVICES}] [placement]`], HELP, (args) =>
    args['daemon_type'] === undefined ? invalid(DAEMON_ADD_USAGE) : noOrchestrator(),
  ),
  ...alike(
    ['rw orch set backend [module_name]'],
    'leave the cluster without an orchestrator: there is none',
    setBackend,
  ),
];

export function noOrchestrator(): CommandOutcome {
  return refuse(Errno.ENOENT, NONE);
}

function setBackend(args: CommandArgs): CommandOutcome {
  const name = args['module_name'];
  return name === undefined || name === '' ? succeed('') : invalid(`Module '${String(name)}' not found`);
}
