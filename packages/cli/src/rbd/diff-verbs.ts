/** `rbd diff` and `rbd du` (tools/rbd/action/Diff.cc, DiskUsage.cc). */
import { Errno, rawFromText, textFromRaw } from '@spirula/encoding';
import { column, formatBytes, formatTable } from '@spirula/formatter';
import { type IoCtx, RadosError } from '@spirula/rados';
import {
  type DiffExtent,
  diffImage,
  type HeaderSnapshot,
  Image,
  isUserSnapshot,
  listImages,
  type NamedImage,
} from '@spirula/rbd';
import { describeErrno } from '../ceph/errno-text.ts';
import type { OptionTable } from '../ceph/global-options.ts';
import { openImage, openPool } from './context.ts';
import { formatJson, show, wantsJson } from './output.ts';
import { oldestFirst } from './phrases.ts';
import { Refusal } from './refusal.ts';
import { takeImageSpec } from './spec.ts';
import { FORMAT_OPTIONS, SNAPSHOT_OPTIONS, type VerbContext, type VerbDefinition } from './verb.ts';

/** Bits of features and flags. */
const FAST_DIFF = 1n << 4n;
const FAST_DIFF_INVALID = 2n;

const DIFF_COLUMNS = [column('Offset', 'left'), column('Length', 'left'), column('Type', 'left')];

async function diff(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const spec = takeImageSpec(context);
  const image = await openImage(context, spec, await openPool(context, spec));
  const from = options.get('from_snap');
  const request = {
    ...(from !== undefined && { from: rawFromText(from) }),
    withParent: true,
    isWhole: options.has('whole_object'),
  };
  const extents: DiffExtent[] = [];
  try {
    for await (const extent of diffImage(image, request)) extents.push(extent);
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    if (wantsJson(options)) env.stdout(formatJson(options, []));
    throw new Refusal(`rbd: diff error: ${describeErrno(error.code)}`, -error.code);
  }
  const dumped = extents.map(({ offset, length, exists }) => ({ offset, length, exists: String(exists) }));
  show(context, dumped, () => {
    const rows = extents.map(({ offset, length, exists }) => [offset, length, exists ? 'data' : 'zero']);
    return rows.length === 0 ? '' : formatTable(DIFF_COLUMNS, rows);
  });
}

/** What an image or a snapshot of it has, and of that itself since the snapshot before it. */
interface Usage {
  readonly name: string;
  readonly id: string;
  readonly snapshot: HeaderSnapshot | undefined;
  readonly provisioned: number;
  readonly used: number;
}

/** Which of an image's snapshots are looked at, and how. */
interface UsageRequest {
  /** '': to the image itself. */
  readonly snapshot: string;
  /** Name of the snapshot from which on; '': from the beginning. */
  readonly from: string;
  readonly isExact: boolean;
}

const USAGE_COLUMNS = [column('NAME', 'left'), column('PROVISIONED', 'right'), column('USED', 'right')];

async function diskUsage(context: VerbContext): Promise<void> {
  const { env, options } = context;
  const from = options.get('from_snap') ?? '';
  const spec = takeImageSpec(context, { isOptional: from === '' });
  const io = await openPool(context, spec);
  const images = await imagesOf(context, io, spec.image);
  const request = { snapshot: spec.snapshot, from, isExact: options.has('exact') };
  const found: (readonly Usage[])[] = [];
  for (const image of images) {
    const rows = await usageOfImage(context, image, request);
    // From a snapshot to itself: nothing at all is said.
    if (rows.length === 0) return;
    found.push(rows);
  }
  const all = found.flat();
  const isMerged = options.has('merge_snapshots');
  const shown = isMerged ? found.flatMap(mergeUsage) : all;
  const provisioned = sum(
    all.filter(({ snapshot }) => !snapshot || spec.snapshot !== '').map((row) => row.provisioned),
  );
  const used = sum(all.map((row) => row.used));
  const totals = { total_provisioned_size: provisioned, total_used_size: used };
  const dumped = { images: shown.map(dumpUsage), ...(spec.image === '' && totals) };
  if (wantsJson(options)) env.stdout(formatJson(options, dumped));
  else if (images.length > 0) {
    const total = ['<TOTAL>', formatBytes(provisioned), formatBytes(used)];
    env.stdout(formatTable(USAGE_COLUMNS, [...shown.map(usageCells), ...(all.length > 1 ? [total] : [])]));
  }
}

interface OpenedImage extends NamedImage {
  readonly image: Image;
}

async function imagesOf({ env, rados }: VerbContext, io: IoCtx, name: string): Promise<readonly OpenedImage[]> {
  const listed = await failed(listImages(io));
  const meant = name === '' ? listed : listed.filter((each) => textFromRaw(each.name) === name);
  const opened: OpenedImage[] = [];
  for (const each of meant) {
    try {
      opened.push({ ...each, image: await Image.openId(rados, io, each.id) });
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      if (error.code === Errno.ENOENT) continue;
      env.stderr(`rbd: error opening ${textFromRaw(each.name)}: ${describeErrno(error.code)}\n`);
    }
  }
  if (name !== '' && opened.length === 0) {
    throw notFound(`specified image ${name} is not found.`);
  }
  return opened;
}

/** Of its snapshots, oldest first, and of itself. */
async function usageOfImage(
  { env, rados }: VerbContext,
  { name, id, image }: OpenedImage,
  { snapshot: to, from, isExact }: UsageRequest,
): Promise<readonly Usage[]> {
  const imageName = textFromRaw(name);
  if ((image.header.features & FAST_DIFF) === 0n) {
    env.stderr(`warning: fast-diff map is not enabled for ${imageName}. operation may be slow.\n`);
  }
  const snapshots = oldestFirst(image).filter(isUserSnapshot);
  const indexOf = (wanted: string) => snapshots.findIndex((each) => textFromRaw(each.name) === wanted);
  const [first, last] = [from === '' ? -1 : indexOf(from), to === '' ? snapshots.length : indexOf(to)];
  if ((from !== '' && first < 0) || last < 0) throw notFound('specified snapshot is not found.');
  if (from !== '' && first > last) throw new Refusal(`rbd: du failed: ${describeErrno(Errno.EINVAL)}`, -Errno.EINVAL);
  const rows: Usage[] = [];
  for (let i = first + 1; i <= last; i++) {
    const snapshot = snapshots[i];
    const shown = snapshot ? await Image.openId(rados, image.io, id, snapshot.name) : image;
    const before = snapshots[i - 1]?.name;
    if (((snapshot ?? image.header).flags & FAST_DIFF_INVALID) !== 0n) {
      const whose = snapshot ? `${imageName}@${textFromRaw(snapshot.name)}` : imageName;
      env.stderr(`warning: fast-diff map is invalid for ${whose}. operation may be slow.\n`);
    }
    const used = await failed(usedBy(shown, before, isExact), 'rbd: failed to iterate diffs');
    rows.push({ name: imageName, id: textFromRaw(id), snapshot, provisioned: shown.size, used });
  }
  return rows;
}

async function usedBy(image: Image, from: string | undefined, isExact: boolean): Promise<number> {
  let used = 0;
  const request = { ...(from !== undefined && { from }), withParent: false, isWhole: !isExact };
  for await (const { length, exists } of diffImage(image, request)) if (exists) used += length;
  return used;
}

/** One row an image: with what its snapshots have; where it ends with a snapshot, none. */
function mergeUsage(rows: readonly Usage[]): readonly Usage[] {
  const last = rows.at(-1);
  return last && !last.snapshot ? [{ ...last, used: sum(rows.map(({ used }) => used)) }] : [];
}

function dumpUsage({ name, id, snapshot, provisioned, used }: Usage): object {
  return {
    name,
    id,
    ...(snapshot && { snapshot: textFromRaw(snapshot.name), snapshot_id: Number(snapshot.id) }),
    provisioned_size: provisioned,
    used_size: used,
  };
}

function usageCells({ name, snapshot, provisioned, used }: Usage): string[] {
  return [snapshot ? `${name}@${textFromRaw(snapshot.name)}` : name, formatBytes(provisioned), formatBytes(used)];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

async function failed<T>(work: Promise<T>, complaint?: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    const problem = describeErrno(error.code);
    const first = complaint === undefined ? '' : `${complaint}: ${problem}\n`;
    throw new Refusal(`${first}rbd: du failed: ${problem}`, -error.code);
  }
}

function notFound(problem: string): Refusal {
  return new Refusal(`${problem}\nrbd: du failed: ${describeErrno(Errno.ENOENT)}`, -Errno.ENOENT);
}

const FROM_OPTIONS: OptionTable = { '--from-snap': ['from_snap', 'value'] };
const WHOLE_OPTIONS: OptionTable = { '--whole-object': ['whole_object', 'flag'] };

export const diffVerbs: readonly VerbDefinition[] = [
  {
    names: ['diff'],
    usage: [['diff IMAGE[@SNAPSHOT]', 'what it has [--from-snap SNAPSHOT: and that has not] [--whole-object]']],
    options: { ...SNAPSHOT_OPTIONS, ...FROM_OPTIONS, ...WHOLE_OPTIONS, ...FORMAT_OPTIONS },
    maxArgs: 1,
    run: diff,
  },
  {
    names: ['du', 'disk-usage'],
    usage: [
      ['du [IMAGE[@SNAPSHOT]]', 'room that it takes, or all of a pool [--from-snap] [--exact] [--merge-snapshots]'],
    ],
    options: {
      ...SNAPSHOT_OPTIONS,
      ...FROM_OPTIONS,
      ...FORMAT_OPTIONS,
      '--exact': ['exact', 'flag'],
      '--merge-snapshots': ['merge_snapshots', 'flag'],
    },
    maxArgs: 1,
    run: diskUsage,
  },
];
