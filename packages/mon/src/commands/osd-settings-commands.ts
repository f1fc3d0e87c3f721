/** Commands about what holds for the OSD map as a whole: how many ids, how full, which releases. */
import { Errno, formatFloat, type OsdId, type Weight16 } from '@spirula/encoding';
import { minCompatClient, osdExists, releaseName, releaseNumber } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  number,
  refuse,
  succeed,
  text,
  unchanged,
} from './command.ts';
import { SURE } from './pool-arguments.ts';

/** mon_max_osd. */
const MAX_OSD = 10_000;
const RATIO = { name: 'ratio', type: 'CephFloat', range: '0.0|1.0' } as const;
const RELEASES = 'luminous|mimic|nautilus|octopus|pacific';

export const osdSettingsCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'setmaxosd', { name: 'newmax', type: 'CephInt', range: '0' }],
    'set how many OSD ids there are',
    'rw',
    setMaxOsd,
    'osd',
  ),
  ...(['full', 'backfillfull', 'nearfull'] as const).map((kind) =>
    command(
      ['osd', `set-${kind}-ratio`, RATIO],
      `set from which share on an OSD counts as ${kind}`,
      'rw',
      (args, context) => setRatio(args, context, kind),
      'osd',
    ),
  ),
  command(
    ['osd', 'get-require-min-compat-client'],
    'show the oldest release whose clients are to be served',
    'r',
    (_, { osd: { map } }) => succeed(`${releaseName(map.requireMinCompatClient)}\n`),
    'osd',
  ),
  command(
    ['osd', 'set-require-min-compat-client', { name: 'version', type: 'CephString' }, SURE],
    'promise to serve clients of this release: no features they do not know',
    'rw',
    setMinCompatClient,
    'osd',
  ),
  command(
    ['osd', 'require-osd-release', { name: 'release', type: 'CephChoices', strings: RELEASES }, SURE],
    'set the oldest release whose OSDs may take part',
    'rw',
    requireOsdRelease,
    'osd',
  ),
  command(
    ['osd', 'reweightn', { name: 'weights', type: 'CephString' }],
    'keep only a part of the data on several OSDs: {"id": weight * 65536, ...}',
    'rw',
    reweightN,
    'osd',
  ),
];

function setMaxOsd(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const max = number(args, 'newmax');
  if (max === undefined || !Number.isInteger(max) || max < 0) {
    return invalid(`unable to parse 'newmax' value '${text(args, 'newmax') ?? ''}'`);
  }
  if (max > MAX_OSD) {
    return refuse(Errno.ERANGE, `cannot set max_osd to ${max} which is > conf.mon_max_osd (${MAX_OSD})`);
  }
  for (let id = max; id < osd.map.maxOsd; id++) {
    if (!osdExists(osd.map, id) && !osd.pending.newUuid.has(id)) continue;
    return refuse(Errno.EBUSY, `cannot shrink max_osd to ${max} because osd.${id} (and possibly others) still in use`);
  }
  osd.pending.newMaxOsd = max;
  osd.propose();
  return changed(`set new max_osd = ${max}`);
}

function setRatio(
  args: CommandArgs,
  { osd }: CommandContext,
  kind: 'full' | 'backfillfull' | 'nearfull',
): CommandOutcome {
  const ratio = number(args, 'ratio');
  if (ratio === undefined || ratio < 0 || ratio > 1) {
    return invalid(`unable to parse 'ratio' value '${text(args, 'ratio') ?? ''}'`);
  }
  const { pending } = osd;
  const single = Math.fround(ratio);
  if (kind === 'full') pending.newFullRatio = single;
  else if (kind === 'backfillfull') pending.newBackfillfullRatio = single;
  else pending.newNearfullRatio = single;
  osd.propose();
  return changed(`osd set-${kind}-ratio ${formatFloat(ratio)}`);
}

function setMinCompatClient(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'version') ?? '';
  const release = releaseNumber(name);
  if (release === undefined) return invalid(`version ${name} is not recognized`);
  const needed = minCompatClient({ ...osd.map, crush: osd.pendingCrush });
  if (release < needed) {
    return refuse(
      Errno.EPERM,
      `osdmap current utilizes features that require ${releaseName(needed)}; cannot set require_min_compat_client ` +
        `below that to ${name}`,
    );
  }
  osd.pending.newRequireMinCompatClient = release;
  osd.propose();
  return changed(`set require_min_compat_client to ${name}`);
}

/** All OSDs here are of one release, which is required from the start. */
function requireOsdRelease(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'release') ?? '';
  const release = releaseNumber(name);
  if (release === undefined) return invalid(`unrecognized release ${name}`);
  if (release === map.requireOsdRelease) return unchanged('');
  if (release > map.requireOsdRelease) return refuse(Errno.EPERM, 'not supported for this release');
  return refuse(Errno.EPERM, 'require_osd_release cannot be lowered once it has been set');
}

function reweightN(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const value = text(args, 'weights') ?? '';
  const weights = parseWeights(value, (id) => osdExists(osd.map, id));
  if (weights === undefined) return invalid(`unable to parse 'weights' value '${value}'`);
  for (const [id, weight] of weights) osd.pending.newWeight.set(id, weight);
  osd.propose();
  return changed('');
}

/** `{"0": "65536"}`: the weights are texts of whole numbers, 16.16; those of OSDs that do not exist are passed over. */
function parseWeights(json: string, exists: (id: OsdId) => boolean): Map<OsdId, Weight16> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const weights = new Map<OsdId, Weight16>();
  for (const [key, value] of Object.entries(parsed)) {
    const [id, weight] = [Number(key), Number(value)];
    if (!Number.isInteger(id) || !Number.isInteger(weight) || weight < 0 || weight > 0x10000) return undefined;
    if (exists(id)) weights.set(id, weight);
  }
  return weights;
}
