/** Ops on an object's omap (PrimaryLogPG::do_osd_ops). */
import { type Bytes, compareBytes, Decoder, EMPTY, Encoder, Errno, type RawString } from '@spirula/encoding';
import { CmpXattrOp, type OsdOp, OsdOpCode } from '@spirula/messages';
import { answered, DONE, failed, type OpContext, type OpHandler, type OpOutcome } from './op-context.ts';

/** osd_max_omap_bytes_per_request, made smaller: a reply must fit in a message. */
const MAX_REPLY_BYTES = 64 << 20;
/** Counted key and counted value. */
const ENTRY_BYTES = 8;
const KEY_BYTES = 4;

function decodeKeys(input: Bytes): RawString[] {
  const decoder = new Decoder(input);
  return decoder.list('omap keys', KEY_BYTES, () => decoder.rawString('omap key'));
}

interface Page {
  readonly entries: readonly (readonly [key: RawString, value: Bytes])[];
  readonly more: boolean;
}

function listPage(context: OpContext, after: RawString, max: number, prefix: RawString): Page {
  const limit = Math.min(max, context.environment.config.osd_max_omap_entries_per_request);
  const start = prefix > after ? prefix : `${after}\0`;
  const found = context.draft.omapList(start, limit + 1);
  const entries: [RawString, Bytes][] = [];
  let bytes = 0;
  for (const [key, value] of found) {
    if (!key.startsWith(prefix)) return { entries, more: false };
    if (entries.length >= limit || bytes >= MAX_REPLY_BYTES) return { entries, more: true };
    entries.push([key, value]);
    bytes += key.length + value.length + ENTRY_BYTES;
  }
  return { entries, more: false };
}

function getKeys(context: OpContext, op: OsdOp): OpOutcome {
  const input = new Decoder(op.input);
  const after = input.rawString('start after');
  const page = listPage(context, after, input.u64saturating('max'), '');
  const output = new Encoder();
  output.list(page.entries, ([key]) => output.rawString(key));
  output.bool(page.more);
  return answered(output.finish());
}

function getVals(context: OpContext, op: OsdOp): OpOutcome {
  const input = new Decoder(op.input);
  const after = input.rawString('start after');
  const max = input.u64saturating('max');
  const page = listPage(context, after, max, input.rawString('prefix'));
  const output = new Encoder();
  encodeEntries(output, page.entries);
  output.bool(page.more);
  return answered(output.finish());
}

function encodeEntries(output: Encoder, entries: readonly (readonly [RawString, Bytes])[]): void {
  output.list(entries, ([key, value]) => {
    output.rawString(key);
    output.blob(value);
  });
}

function getHeader({ draft }: OpContext): OpOutcome {
  return answered(draft.omapHeader());
}

function getValsByKeys({ draft }: OpContext, op: OsdOp): OpOutcome {
  const keys = decodeKeys(op.input).sort();
  const output = new Encoder();
  encodeEntries(output, [...draft.omapGet(keys)]);
  return answered(output.finish());
}

/** An absent value is empty. */
function compare({ draft }: OpContext, op: OsdOp): OpOutcome {
  if (!draft.exists) return failed(Errno.ENOENT);
  const input = new Decoder(op.input);
  const assertions = input.map(
    'assertions',
    ENTRY_BYTES + 4,
    () => input.rawString('omap key'),
    () => ({ value: input.blob('value'), op: input.i32('comparison') }),
  );
  const stored = draft.omapGet([...assertions.keys()]);
  for (const [key, assertion] of assertions) {
    const order = compareBytes(stored.get(key) ?? EMPTY, assertion.value);
    const { eq, lt, gt } = CmpXattrOp;
    if (assertion.op !== eq && assertion.op !== lt && assertion.op !== gt) return failed(Errno.EINVAL);
    const holds = assertion.op === eq ? order === 0 : assertion.op === lt ? order < 0 : order > 0;
    if (!holds) return failed(Errno.ECANCELED);
  }
  return DONE;
}

function setVals({ draft }: OpContext, op: OsdOp): OpOutcome {
  const input = new Decoder(op.input);
  const entries = input.map(
    'omap entries',
    ENTRY_BYTES,
    () => input.rawString('omap key'),
    () => input.blob('omap value'),
  );
  if (entries.size === 0) draft.create();
  else draft.omapSet(entries);
  return DONE;
}

function setHeader({ draft }: OpContext, op: OsdOp): OpOutcome {
  draft.omapSetHeader(op.input);
  return DONE;
}

function clear({ draft }: OpContext): OpOutcome {
  if (!draft.exists) return failed(Errno.ENOENT);
  if (draft.hasOmap) draft.omapClear();
  return DONE;
}

function rmKeys({ draft }: OpContext, op: OsdOp): OpOutcome {
  if (!draft.exists) return failed(Errno.ENOENT);
  draft.omapRmKeys(decodeKeys(op.input));
  return DONE;
}

function rmKeyRange({ draft }: OpContext, op: OsdOp): OpOutcome {
  if (!draft.exists) return failed(Errno.ENOENT);
  const input = new Decoder(op.input);
  const first = input.rawString('first key');
  draft.omapRmRange(first, input.rawString('last key'));
  return DONE;
}

export const omapOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.omapGetKeys, getKeys],
  [OsdOpCode.omapGetVals, getVals],
  [OsdOpCode.omapGetHeader, getHeader],
  [OsdOpCode.omapGetValsByKeys, getValsByKeys],
  [OsdOpCode.omapCmp, compare],
  [OsdOpCode.omapSetVals, setVals],
  [OsdOpCode.omapSetHeader, setHeader],
  [OsdOpCode.omapClear, clear],
  [OsdOpCode.omapRmKeys, rmKeys],
  [OsdOpCode.omapRmKeyRange, rmKeyRange],
];
