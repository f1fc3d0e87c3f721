/** The model's operations as clients send them, and what comes back. */
import { type Bytes, Decoder, Encoder, type RawString } from '@spirula/encoding';
import {
  assertVerOp,
  CmpXattrMode,
  CmpXattrOp,
  decodeOpEntries,
  extentOp,
  OsdOpCode,
  plainOp,
  xattrOp,
} from '@spirula/messages';
import type { ObjectReply } from '@spirula/objecter';
import { ObjectOperation } from '@spirula/rados';
import type { Content, Part } from '../object-model.ts';

/** No object of a workload has more omap keys. */
const OMAP_PAGE = 1000;

export function operationOf(parts: readonly Part[]): ObjectOperation {
  const operation = new ObjectOperation();
  for (const part of parts) addPart(operation, part);
  return operation;
}

function addPart(operation: ObjectOperation, part: Part): void {
  switch (part.kind) {
    case 'write':
      operation.write(part.data, part.offset);
      break;
    case 'writeFull':
      operation.writeFull(part.data);
      break;
    case 'append':
      operation.append(part.data);
      break;
    case 'truncate':
      operation.truncate(part.size);
      break;
    case 'remove':
      operation.remove();
      break;
    case 'setXattr':
      operation.setXattr(part.name, part.value);
      break;
    case 'omapSet':
      operation.omapSet(new Map([[part.key, part.value]]));
      break;
    case 'omapRm':
      operation.omapRmKeys([part.key]);
      break;
    case 'createExclusive':
      operation.create(true);
      break;
    case 'assertVersion':
      operation.add(assertVerOp(part.version), 'read');
      break;
    case 'compareData':
      operation.add(extentOp(OsdOpCode.cmpext, part.offset, part.data.length, part.data), 'read');
      break;
    case 'compareXattr': {
      const compare = { op: CmpXattrOp[part.comparison], mode: CmpXattrMode.string };
      operation.add(xattrOp(OsdOpCode.cmpxattr, part.name, part.value, compare), 'read');
      break;
    }
    case 'compareOmap':
      operation.add(plainOp(OsdOpCode.omapCmp, encodeAssertion(part.key, part.value)), 'read');
      break;
  }
}

function encodeAssertion(key: RawString, value: Bytes): Bytes {
  const encoder = new Encoder(64);
  encoder.map(
    new Map([[key, value]]),
    (name) => encoder.rawString(name),
    (wanted) => {
      encoder.blob(wanted);
      encoder.i32(CmpXattrOp.eq);
    },
  );
  return encoder.finish();
}

/** Reads everything. */
export function wholeRead(): ObjectOperation {
  return new ObjectOperation().read().getXattrs().omapGetVals('', OMAP_PAGE);
}

/** The reply to a read of everything; undefined when there is no such object. @throws MalformedInput */
export function contentOf({ result, ops }: ObjectReply): Content | undefined {
  if (result < 0) return undefined;
  const [data, xattrs, omap] = ops;
  return { data: data!.output, xattrs: decodeEntries(xattrs!.output), omap: decodeEntries(omap!.output) };
}

export function decodeEntries(bytes: Bytes): Map<RawString, Bytes> {
  return decodeOpEntries(new Decoder(bytes));
}
