/** The operator of a simulated cluster: a client beside those of the workload, whose commands are answered in virtual time. */
import { fromUtf8 } from '@spirula/encoding';
import type { Message } from '@spirula/messages';
import { type CommandLine, type CommandResult, Rados, RadosError, type RadosOptions } from '@spirula/rados';
import type { Lab } from '@spirula/sim-scenarios';
import type { World } from '@spirula/world';
import type { Connect } from '../../ceph/connect.ts';
import type { ToolEnvironment } from '../../ceph/environment.ts';
import { ceph } from '../../ceph.ts';
import { UserError } from '../../cluster/user-error.ts';
import { rados } from '../../rados.ts';

const TOOLS = { ceph, rados };
export type Tool = keyof typeof TOOLS;

/** What has come of a command line so far. */
export interface Reply {
  output: string;
  /** Exit status; undefined while it is under way. */
  status: number | undefined;
  /** Commands that changed the cluster, as the monitors were sent them. */
  readonly changes: Readonly<Record<string, unknown>>[];
}

export function newReply(): Reply {
  return { output: '', status: undefined, changes: [] };
}

interface Description {
  readonly sig: readonly unknown[];
  readonly perm: string;
}

/** Remembers which of its commands changed something. */
class Tools extends Rados {
  readonly world: World<Message>;
  changes: Readonly<Record<string, unknown>>[] = [];
  /** Commands that only read. */
  readonly #reading = new Set<string>();

  constructor(world: World<Message>, options: RadosOptions) {
    super(world, options);
    this.world = world;
  }

  override async monCommand(cmd: CommandLine, data?: Uint8Array): Promise<CommandResult> {
    const result = await super.monCommand(cmd, data);
    const command = (typeof cmd === 'string' ? JSON.parse(cmd) : cmd) as { readonly prefix: string };
    if (command.prefix === 'get_command_descriptions') this.#learn(fromUtf8(result.data));
    else if (result.code === 0 && !this.#reading.has(command.prefix)) this.changes.push(command);
    return result;
  }

  #learn(json: string): void {
    for (const { sig, perm } of Object.values(JSON.parse(json) as Record<string, Description>)) {
      const words = sig.filter((part) => typeof part === 'string');
      if (!perm.includes('w')) this.#reading.add(words.join(' '));
    }
  }
}

const operators = new WeakMap<Lab, Tools>();

/** One operator a lab, who comes with the first command. */
function operatorOf(lab: Lab): Tools {
  let tools = operators.get(lab);
  if (tools === undefined) {
    const { cluster } = lab;
    const make = (world: World<Message>, monAddrs: RadosOptions['monAddrs'], auth: RadosOptions['auth']) =>
      new Tools(world, { monAddrs, auth, fsid: cluster.fsid });
    tools = cluster.addTools('admin', make);
    operators.set(lab, tools);
  }
  return tools;
}

/** Begins a command line; `reply` learns what comes of it as time passes. */
export function beginCommand(lab: Lab, tool: Tool, words: readonly string[], reply: Reply): void {
  const tools = operatorOf(lab);
  const env: ToolEnvironment = {
    stdout: (text) => {
      reply.output += typeof text === 'string' ? text : fromUtf8(text);
    },
    stderr: (text) => {
      reply.output += text;
    },
    dir: '.',
  };
  tools.changes = reply.changes;
  TOOLS[tool](words, env, connectTo(tools)).then(
    (status) => {
      reply.status = status;
    },
    (error: Error) => {
      reply.output += `${error.message}\n`;
      reply.status = 1;
    },
  );
}

function connectTo(tools: Tools): Connect {
  return async () => {
    try {
      await tools.connect();
    } catch (error) {
      if (error instanceof RadosError) throw new UserError('No monitor answers.');
      throw error;
    }
    return { rados: tools, world: tools.world, close: async () => {} };
  };
}
