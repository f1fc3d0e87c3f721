/**
 * The class `fifo` (cls/fifo/cls_fifo.cc): a log in the data of several objects, of which the gateway makes those of changes.
 * The head object says which parts there are; a part is appended to until it is full, and goes when all of it is trimmed.
 */
import { type Bytes, Errno } from '@spirula/encoding';
import { randomBase64 } from '../base64.ts';
import type { MethodContext } from '../method-context.ts';
import { ClassError, decodeStored, MethodFlag, method, type ObjectClass, rawMethod } from '../object-class.ts';
import {
  compareJournalEntries,
  decodeCreateInput,
  decodeGetInput,
  decodeInfo,
  decodeInitPartInput,
  decodeListPartInput,
  decodeTrimInput,
  decodeUpdateInput,
  encodeGetReply,
  encodeInfo,
  encodePartInfo,
  type FifoInfo,
  type FifoVersion,
  type JournalEntry,
} from './fifo-codec.ts';
import {
  ENTRY_OVERHEAD,
  initPart,
  listPart,
  PART_HEADER_SIZE,
  pushPart,
  readPartHeader,
  trimPart,
} from './fifo-part.ts';

/** Characters of a drawn version, and of what makes the names of parts unique: 16.2.15 draws one less than it has room for. */
const INSTANCE_LENGTH = 16;
const PREFIX_LENGTH = 11;

function sizeIf(object: MethodContext): number | undefined {
  try {
    return object.stat().size;
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

function sameVersion(a: FifoVersion, b: FifoVersion): boolean {
  return a.instance === b.instance && a.number === b.number;
}

/** EINVAL: no id, or sizes that do not fit. EEXIST: another one is there. */
function create(object: MethodContext, input: ReturnType<typeof decodeCreateInput>): void {
  const { id, version, partPrefix, maxPartSize, maxEntrySize, exclusive } = input;
  const isFitting = maxPartSize > 0 && maxEntrySize > 0 && maxEntrySize <= maxPartSize;
  if (id === '' || !isFitting) throw new ClassError(Errno.EINVAL);
  const size = sizeIf(object);
  if (size !== undefined) {
    if (exclusive || !isSame(decodeStored(object.read(0, size), decodeInfo), input)) throw new ClassError(Errno.EEXIST);
    return;
  }
  const drawn = () => ({ instance: randomBase64(object, INSTANCE_LENGTH), number: 1 });
  const info: FifoInfo = {
    id,
    version: version ?? drawn(),
    partPrefix: partPrefix ?? `${id}.${randomBase64(object, PREFIX_LENGTH)}`,
    params: { maxPartSize, maxEntrySize, fullSize: maxPartSize - maxEntrySize - ENTRY_OVERHEAD },
    tailPart: 0,
    headPart: -1,
    minPushPart: 0,
    maxPushPart: -1,
    journal: [],
  };
  object.writeFull(encodeInfo(info));
}

function isSame(info: FifoInfo, { id, version, partPrefix }: ReturnType<typeof decodeCreateInput>): boolean {
  if (info.id !== id || (partPrefix !== undefined && partPrefix !== info.partPrefix)) return false;
  return version === undefined || sameVersion(info.version, version);
}

/** ENODATA: it is empty. ECANCELED: of another version. */
function readInfo(object: MethodContext, version: FifoVersion | undefined): FifoInfo {
  const { size } = object.stat();
  if (size === 0) throw new ClassError(Errno.ENODATA);
  const info = decodeStored(object.read(0, size), decodeInfo);
  if (version && !sameVersion(info.version, version)) throw new ClassError(Errno.ECANCELED);
  return info;
}

function get(object: MethodContext, version: FifoVersion | undefined): Bytes {
  return encodeGetReply(readInfo(object, version), PART_HEADER_SIZE, ENTRY_OVERHEAD);
}

/** EINVAL: no version. What changes nothing is not written. */
function update(object: MethodContext, input: ReturnType<typeof decodeUpdateInput>): void {
  if (input.version.instance === '') throw new ClassError(Errno.EINVAL);
  const before = readInfo(object, input.version);
  const { tailPart = before.tailPart, headPart = before.headPart } = input;
  const { minPushPart = before.minPushPart, maxPushPart = before.maxPushPart } = input;
  const parts = { tailPart, headPart, minPushPart, maxPushPart };
  const [journal, isJournalChanged] = changedJournal(before.journal, input);
  const names = ['tailPart', 'headPart', 'minPushPart', 'maxPushPart'] as const;
  if (!isJournalChanged && names.every((name) => parts[name] === before[name])) return;
  const version = { instance: before.version.instance, number: before.version.number + 1 };
  object.writeFull(encodeInfo({ ...before, ...parts, version, journal }));
}

/** What is added once more, or removed and not there, changes nothing. */
function changedJournal(
  before: readonly JournalEntry[],
  { add, remove }: ReturnType<typeof decodeUpdateInput>,
): [journal: readonly JournalEntry[], isChanged: boolean] {
  let journal = before;
  let isChanged = false;
  const has = (entry: JournalEntry) => journal.some((each) => compareJournalEntries(each, entry) === 0);
  for (const entry of add) {
    if (has(entry)) continue;
    journal = [...journal, entry].sort(compareJournalEntries);
    isChanged = true;
  }
  for (const entry of remove) {
    if (!has(entry)) continue;
    journal = journal.filter((each) => compareJournalEntries(each, entry) !== 0);
    isChanged = true;
  }
  return [journal, isChanged];
}

const { read, write } = MethodFlag;

export const fifoClass: ObjectClass = {
  name: 'fifo',
  methods: {
    create_meta: method(read | write, decodeCreateInput, create),
    get_meta: method(read, decodeGetInput, get),
    update_meta: method(read | write, decodeUpdateInput, update),
    init_part: method(read | write, decodeInitPartInput, initPart),
    push_part: rawMethod(read | write, pushPart),
    trim_part: method(read | write, decodeTrimInput, trimPart),
    part_list: method(read, decodeListPartInput, listPart),
    get_part_info: method(
      read,
      (decoder) => decoder.struct('get part info', 1, () => undefined),
      (object) => encodePartInfo(readPartHeader(object)),
    ),
  },
};
