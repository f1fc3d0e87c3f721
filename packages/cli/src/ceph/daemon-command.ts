/** `ceph daemon NAME COMMAND`: asks a daemon over its own socket (pybind/ceph_daemon.py). */
import { connect } from 'node:net';
import { UserError } from '../cluster/user-error.ts';
import { openConf, type ToolEnvironment } from './environment.ts';
import { formatCommand, parseDescriptions, validateCommand } from './signature.ts';

const LENGTH_BYTES = 4;
const EINVAL = 22;

/** Resolves to the exit status. `words` are those after `daemon`. */
export async function daemonCommand(
  env: ToolEnvironment,
  options: ReadonlyMap<string, string>,
  words: readonly string[],
): Promise<number> {
  const [who, ...command] = words;
  if (who === undefined || command.length === 0) {
    env.stderr('daemon requires at least 3 arguments\n');
    return EINVAL;
  }
  const path = who.includes('/') ? who : await socketOf(env, options, who);
  try {
    const signatures = parseDescriptions((await ask(path, { prefix: 'get_command_descriptions' })).toString());
    const validated = validateCommand(command, signatures);
    if (!validated.ok) {
      env.stderr(`${validated.complaints.join('\n')}\nadmin_socket: invalid command\n`);
      return EINVAL;
    }
    const format = options.get('format');
    const line = formatCommand({ ...validated.command, ...(format !== undefined && { format }) });
    env.stdout(await ask(path, JSON.parse(line) as object));
    return 0;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    env.stderr(`admin_socket: exception getting command descriptions: ${message}\n`);
    return EINVAL;
  }
}

async function socketOf(env: ToolEnvironment, options: ReadonlyMap<string, string>, who: string): Promise<string> {
  const { conf, path } = await openConf(env, options);
  const socket = who.includes('.') ? conf.get('admin_socket', who) : undefined;
  if (socket === undefined) throw new UserError(`${path} names no admin socket for ${who}.`);
  return socket;
}

/** @throws an Error with a `code` when nobody answers there. */
async function ask(path: string, command: object): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const socket = connect(path);
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.write(`${JSON.stringify(command)}\0`);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve());
  });
  return Buffer.concat(chunks).subarray(LENGTH_BYTES);
}
