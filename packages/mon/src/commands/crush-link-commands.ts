/** Commands that link buckets to several places, rename them, or swap what they hold. */
import {
  bucketAlgName,
  bucketOf,
  findMisfit,
  isNested,
  itemByName,
  linkBucket,
  parentsOf,
  renameBucket,
  standsAt,
  swapBuckets,
} from '@spirula/crush';
import { Errno } from '@spirula/encoding';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { CRUSH_NAME, formatLocation, LOCATION, parseLocation } from './crush-location.ts';
import { INVALID } from './errno-text.ts';
import { SURE } from './pool-arguments.ts';

export const crushLinkCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'link', { name: 'name', type: 'CephString' }, LOCATION],
    'put a bucket elsewhere as well as where it stands',
    'rw',
    crushLink,
    'osd',
  ),
  command(
    ['osd', 'crush', 'rename-bucket', { name: 'srcname', ...CRUSH_NAME }, { name: 'dstname', ...CRUSH_NAME }],
    'give a bucket another name',
    'rw',
    crushRename,
    'osd',
  ),
  command(
    ['osd', 'crush', 'swap-bucket', { name: 'source', ...CRUSH_NAME }, { name: 'dest', ...CRUSH_NAME }, SURE],
    'let two buckets swap what they hold, and their names',
    'rw',
    crushSwap,
    'osd',
  ),
];

function crushLink(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const location = parseLocation(args);
  const crush = osd.pendingCrush;
  const item = itemByName(crush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `item ${name} does not exist`);
  if (location === undefined) return invalid(INVALID);
  const shown = `item id ${item} name '${name}' to location ${formatLocation(location)}`;
  if (standsAt(crush, item, location)) return unchanged(`no need to move ${shown} in crush map`);
  const misfit = item >= 0 ? 'invalid' : findMisfit(crush, item, location);
  if (misfit !== undefined) {
    return refuse(misfit === 'loop' ? Errno.ELOOP : Errno.EINVAL, `cannot link ${shown}`);
  }
  osd.setCrush(linkBucket(crush, item, location));
  return changed(`linked ${shown} in crush map`);
}

function crushRename(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const from = text(args, 'srcname') ?? '';
  const to = text(args, 'dstname') ?? '';
  const crush = osd.pendingCrush;
  const bucket = itemByName(crush, from);
  const taken = itemByName(crush, to) !== undefined;
  if (bucket === undefined) {
    const missing = `srcname = '${from}' does not exist`;
    return taken ? unchanged(`${missing} and dstname = '${to}' already exists`) : refuse(Errno.ENOENT, missing);
  }
  if (taken) return refuse(Errno.EEXIST, `dstname = '${to}' already exists`);
  if (!/^[-_.0-9a-zA-Z]+$/.test(to)) return invalid(`dstname = '${to}' does not match [-_.0-9a-zA-Z]+`);
  if (bucket >= 0) {
    return refuse(Errno.ENOTDIR, `srcname = '${from}' is not a bucket because its id = ${bucket} is >= 0`);
  }
  osd.setCrush(renameBucket(crush, bucket, to));
  return changed(`renamed bucket ${from} into ${to}`);
}

function crushSwap(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const source = text(args, 'source') ?? '';
  const destination = text(args, 'dest') ?? '';
  const sure = flag(args, 'yes_i_really_mean_it');
  const crush = osd.pendingCrush;
  const a = itemByName(crush, source);
  const b = itemByName(crush, destination);
  if (a === undefined) return refuse(Errno.ENOENT, `source item ${source} does not exist`);
  if (b === undefined) return refuse(Errno.ENOENT, `dest item ${destination} does not exist`);
  if (parentsOf(crush, a).length > 0 && !sure) {
    return refuse(
      Errno.EPERM,
      `source item ${source} is not an orphan bucket; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  const [from, to] = [bucketOf(crush, a), bucketOf(crush, b)];
  if (from === undefined || to === undefined || a === b || isNested(crush, a, b)) {
    return invalid(`failed to swap bucket contents: ${INVALID}`);
  }
  if (from.alg !== to.alg && !sure) {
    return refuse(
      Errno.EPERM,
      `source bucket alg ${bucketAlgName(from.alg)} != dest bucket alg ${bucketAlgName(to.alg)}; ` +
        'pass --yes-i-really-mean-it to proceed anyway',
    );
  }
  osd.setCrush(swapBuckets(crush, a, b));
  return changed(`swapped bucket of ${source} to ${destination}`);
}
