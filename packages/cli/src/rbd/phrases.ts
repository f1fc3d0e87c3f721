/** How `rbd` prints what images have (tools/rbd/Utils.cc, ArgumentTypes.cc). */
import { textFromRaw, type UTime } from '@spirula/encoding';
import type { Rados } from '@spirula/rados';
import { type HeaderSnapshot, Image, imageNameOf, type ParentLink } from '@spirula/rbd';

const FEATURES = [
  'layering',
  'striping',
  'exclusive-lock',
  'object-map',
  'fast-diff',
  'deep-flatten',
  'journaling',
  'data-pool',
  'operations',
  'migrating',
  'non-primary',
  'dirty-cache',
];
/** data-pool; others come by themselves. */
const LAST_ASKED = 7;
const OPERATION_FEATURES = ['clone-parent', 'clone-child', 'group', 'snap-trash'];
const FLAGS = ['object map invalid', 'fast diff invalid'];

const named = (names: readonly string[]) => (bits: bigint) =>
  names.filter((_, bit) => (bits & (1n << BigInt(bit))) !== 0n);
export const featureNames = named(FEATURES);

/** Bits of names, as `a,b`; undefined: one is none. */
export function featureBits(texts: readonly string[]): bigint | undefined {
  let bits = 0n;
  for (const name of texts.flatMap((text) => text.split(',')).filter((part) => part !== '')) {
    const bit = FEATURES.indexOf(name);
    if (bit < 0) return undefined;
    bits |= 1n << BigInt(bit);
  }
  return bits;
}

export const operationFeatureNames = named(OPERATION_FEATURES);
export const flagNames = named(FLAGS);

/** Those that a line may ask for; undefined: there is no such feature. */
export function featureBit(name: string): bigint | undefined {
  const bit = FEATURES.indexOf(name);
  return bit < 0 || bit > LAST_ASKED ? undefined : 1n << BigInt(bit);
}

/** As the C library's ctime: `Tue Dec  1 02:41:50 2026`, in the time zone of whoever reads it; '' of a time never set. */
export function timeText({ sec }: UTime): string {
  if (sec === 0) return '';
  const [weekday, month, day, year, time] = new Date(sec * 1000).toString().split(' ');
  return `${weekday} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`;
}

/** As `2026-12-01 02:41:50`, in the time zone of whoever reads it; '' of a time never set. */
export function clockText({ sec }: UTime): string {
  if (sec === 0) return '';
  const date = new Date(sec * 1000);
  const two = (part: number) => String(part).padStart(2, '0');
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')}`;
}

/** What an image is a clone of, by names. */
export interface NamedParent {
  readonly pool: string;
  readonly namespace: string;
  readonly image: string;
  readonly id: string;
  readonly snapshot: string;
  /** The image was put into the trash. */
  readonly isInTrash: boolean;
  readonly overlap: number;
}

export async function nameParent(rados: Rados, link: ParentLink): Promise<NamedParent> {
  const io = (await rados.ioctx(Number(link.poolId))).with({ nspace: link.namespace });
  const { header } = await Image.openId(rados, io, link.imageId);
  const snapshot = header.snapshots.find(({ id }) => id === link.snapId);
  const name = await imageNameOf(io, link.imageId);
  return {
    pool: rados.poolName(io.pool) ?? '',
    namespace: textFromRaw(link.namespace),
    image: textFromRaw(name ?? ''),
    id: textFromRaw(link.imageId),
    snapshot: textFromRaw(snapshot?.name ?? ''),
    isInTrash: name === undefined,
    overlap: link.overlap,
  };
}

/** `POOL/[NAMESPACE/]IMAGE@SNAPSHOT`. */
export function parentText({ pool, namespace, image, snapshot }: NamedParent): string {
  return `${pool}/${namespace === '' ? '' : `${namespace}/`}${image}@${snapshot}`;
}

export function isProtected({ protection }: HeaderSnapshot): boolean {
  return protection === PROTECTED;
}

/** RBD_PROTECTION_STATUS_PROTECTED */
const PROTECTED = 2;

export function oldestFirst({ header }: Image): readonly HeaderSnapshot[] {
  return [...header.snapshots].reverse();
}
