/** Commands that go straight to an OSD: `ceph tell osd.N …`. */
import { Errno, type PgId, parsePgId, utf8 } from '@spirula/encoding';
import type { Command, CommandReply } from '@spirula/messages';

/** As `ceph versions` groups by. */
export const CEPH_VERSION = '16.2.15';
export const CEPH_VERSION_TEXT = `ceph version ${CEPH_VERSION} (spirula) pacific (stable)`;

interface TellResult {
  readonly code: number;
  readonly status: string;
  readonly output: unknown;
  /** JSON on one line was asked for. */
  readonly dense?: boolean;
}

const DESCRIPTIONS = {
  cmd000: {
    sig: ['get_command_descriptions'],
    help: 'list the commands served here',
    module: 'osd',
    perm: 'r',
    flags: 0,
  },
  cmd002: {
    sig: ['query'],
    help: 'show what the primary of a placement group knows of it',
    module: 'osd',
    perm: 'r',
    flags: 0,
  },
  cmd003: {
    sig: ['pg', { name: 'pgid', type: 'CephPgid' }, { name: 'cmd', type: 'CephChoices', strings: 'query' }],
    help: 'show what the primary of a placement group knows of it',
    module: 'osd',
    perm: 'r',
    flags: 0,
  },
  cmd001: { sig: ['version'], help: 'which release runs here', module: 'osd', perm: 'r', flags: 0 },
};

/** Runs one command; what it does not know is refused with -EINVAL. */
export function runTellCommand(message: Command, queryPg: PgQuerying): CommandReply {
  const { code, status, output, dense } = run(message.cmd[0] ?? '', queryPg);
  const data =
    output === undefined
      ? new Uint8Array(0)
      : utf8(dense ? JSON.stringify(output) : `${JSON.stringify(output, null, 4)}\n`);
  return { type: 'command_reply', tid: message.tid, code, status, data };
}

/** What there is to say of a PG; undefined when it is not here, `not primary` when another OSD leads it. */
export type PgQuerying = (pgid: PgId) => object | 'not primary' | undefined;

interface Line {
  readonly prefix?: unknown;
  readonly cmd?: unknown;
  readonly pgid?: unknown;
  readonly format?: unknown;
}

function runQuery({ pgid, format }: Line, queryPg: PgQuerying): TellResult {
  if (typeof pgid !== 'string') return { code: Errno.EINVAL, status: 'no pgid specified', output: undefined };
  const parsed = parsePgId(pgid);
  if (parsed === undefined) {
    return { code: Errno.EINVAL, status: `couldn't parse pgid '${pgid}'`, output: undefined };
  }
  const output = queryPg(parsed);
  if (output === undefined) return { code: Errno.ENOENT, status: `i don't have pgid ${pgid}`, output };
  if (output !== 'not primary') return { code: 0, status: '', output, dense: format === 'json' };
  return { code: Errno.EAGAIN, status: `not primary for pgid ${pgid}`, output: undefined };
}

function run(line: string, queryPg: PgQuerying): TellResult {
  let parsed: Line | null;
  try {
    parsed = JSON.parse(line) as Line | null;
  } catch {
    return { code: Errno.EINVAL, status: 'command is not JSON', output: undefined };
  }
  const prefix = parsed?.prefix;
  if (parsed && (prefix === 'query' || (prefix === 'pg' && parsed.cmd === 'query'))) return runQuery(parsed, queryPg);
  switch (prefix) {
    case 'get_command_descriptions':
      return { code: 0, status: '', output: DESCRIPTIONS };
    case 'version':
      return { code: 0, status: '', output: { version: CEPH_VERSION, release: 'pacific', release_type: 'stable' } };
    default:
      return { code: Errno.EINVAL, status: `no such command: ${String(prefix)}`, output: undefined };
  }
}
