/** The lines about commands in the audit channel (Monitor::handle_command and C_Command, mon/Monitor.cc). */
import { formatAddrVec } from '@spirula/encoding';
import type { LogLevel } from '@spirula/messages';
import type { NamedCommand } from './commands/command-table.ts';
import type { Requester } from './requester.ts';

export interface AuditLine {
  readonly level: LogLevel;
  readonly text: string;
}

/** Values of options may be secret: of these commands only that they came is told. */
const UNTOLD = ['config set', 'config-key set'];

/**
 * That a command came, or that its asker may not run it; undefined for what is not told. What only reads is told of where it
 * came in, not by a leader again. Not told are the questions of managers: to a manager of Ceph the monitors say by themselves
 * what ours asks for every few seconds.
 */
export function auditDispatch(found: NamedCommand, from: Requester, cmd: readonly string[]): AuditLine | undefined {
  const { prefix, description, args } = found;
  if (UNTOLD.includes(prefix)) return undefined;
  const isWrite = /[wx]/.test(description.perm);
  if (!isWrite && (from.isForwarded || from.entity.type === 'mgr')) return undefined;
  const isAllowed = from.rights.mayRun(description, prefix, args);
  const text = `${asker(from)} cmd=[${cmd.join(',')}]:${isAllowed ? ' dispatch' : '  access denied'}`;
  return { level: isWrite ? 'info' : 'debug', text };
}

/** That what a command changed is committed. */
export function auditFinished({ prefix }: NamedCommand, from: Requester, cmd: readonly string[]): AuditLine {
  const what = UNTOLD.includes(prefix) ? '' : `cmd='[${cmd.join(',')}]': finished`;
  return { level: 'info', text: `${asker(from)} ${what}` };
}

/** By name and address; the address is known only where the connection ends. */
function asker({ entity, addrs, globalId, isForwarded }: Requester): string {
  const { type, id } = entity;
  const name = type === 'client' ? 'client.?' : `${type}.${type === 'mgr' ? globalId : id}`;
  return `from='${name} ${isForwarded ? '' : formatAddrVec(addrs)}' entity='${type}.${id}'`;
}
