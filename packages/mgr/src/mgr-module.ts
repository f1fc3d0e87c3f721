/** Parts of the manager with commands of their own, which may take their time: what Ceph's Python modules are (mgr/ActivePyModules.cc). */
import { type CommandDescription, type Message, parseSignature } from '@spirula/messages';
import type { Authentication, SessionId, WorldEvent } from '@spirula/world';
import { type CommandArgs, type CommandOutcome, MGR_FLAG } from './commands/command.ts';
import type { PerfQueries } from './osd-perf-queries.ts';

/** Who runs a command. */
export interface Asker {
  /** Whether its capabilities let it do so to what these arguments say, such as `pool` and `namespace` (ActivePyModule::is_authorized). */
  may(args: ReadonlyMap<string, string>): boolean;
}

export interface ModuleCommand {
  readonly description: CommandDescription;
  /** Why the command is always refused (EOPNOTSUPP). */
  readonly unsupported?: string;
  /** Resolves to what is answered, whatever happens. */
  run(args: CommandArgs, asker: Asker): Promise<CommandOutcome>;
}

/** What the manager does for its parts. */
export interface MgrServices {
  readonly perf: PerfQueries;
}

export interface MgrModule {
  /** What capabilities call it. */
  readonly name: string;
  readonly commands: readonly ModuleCommand[];
  /** Undefined: the session is not one of its own, or nobody proves who he is. */
  authenticationOf(session: SessionId): Authentication | undefined;
  becomeActive(services: MgrServices): void;
  becomeStandby(): void;
  /** The daemon stops. */
  shutdown(): void;
  /** Whether the event was its own. */
  handle(event: WorldEvent<Message>): boolean;
}

/** @param line its permissions and its signature: `r rbd task list [task_id]` */
export function moduleCommand(line: string, help: string, run: ModuleCommand['run']): ModuleCommand {
  const space = line.indexOf(' ');
  const sig = parseSignature(line.slice(space + 1));
  // Clients are told that they are the manager's, whichever part they are of.
  return { description: { sig, help, module: 'mgr', perm: line.slice(0, space), flags: MGR_FLAG }, run };
}
