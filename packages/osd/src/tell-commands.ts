/** Commands that go straight to an OSD: `ceph tell osd.N …`. */
import { Errno, utf8 } from '@spirula/encoding';
import type { Command, CommandReply } from '@spirula/messages';

/** As `ceph versions` groups by. */
export const CEPH_VERSION = '16.2.15';
export const CEPH_VERSION_TEXT = `ceph version ${CEPH_VERSION} (spirula) pacific (stable)`;

interface TellResult {
  readonly code: number;
  readonly status: string;
  readonly output: unknown;
}

const DESCRIPTIONS = {
  cmd000: {
    sig: ['get_command_descriptions'],
    help: 'list the commands served here',
    module: 'osd',
    perm: 'r',
    flags: 0,
  },
  cmd001: { sig: ['version'], help: 'which release runs here', module: 'osd', perm: 'r', flags: 0 },
};

/** Runs one command; what it does not know is refused with -EINVAL. */
export function runTellCommand(message: Command): CommandReply {
  const { code, status, output } = run(message.cmd[0] ?? '');
  const data = output === undefined ? new Uint8Array(0) : utf8(`${JSON.stringify(output, null, 4)}\n`);
  return { type: 'command_reply', tid: message.tid, code, status, data };
}

function run(line: string): TellResult {
  let prefix: unknown;
  try {
    prefix = (JSON.parse(line) as { readonly prefix?: unknown } | null)?.prefix;
  } catch {
    return { code: Errno.EINVAL, status: 'command is not JSON', output: undefined };
  }
  switch (prefix) {
    case 'get_command_descriptions':
      return { code: 0, status: '', output: DESCRIPTIONS };
    case 'version':
      return { code: 0, status: '', output: { version: CEPH_VERSION, release: 'pacific', release_type: 'stable' } };
    default:
      return { code: Errno.EINVAL, status: `no such command: ${String(prefix)}`, output: undefined };
  }
}
