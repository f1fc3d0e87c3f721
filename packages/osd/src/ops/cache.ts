/** Ops of cache tiers, which there are none of here: they answer what they answer in a pool that is no cache. */
import { Encoder, Errno } from '@spirula/encoding';
import { OsdOpCode } from '@spirula/messages';
import { answered, DONE, failed, type OpContext, type OpHandler } from './op-context.ts';

/** Whether the object was written since `undirty`. */
function isDirty({ draft, isDirty }: OpContext) {
  if (!draft.exists) return failed(Errno.ENOENT);
  const output = new Encoder(1);
  output.bool(isDirty);
  return answered(output.finish());
}

function undirty(context: OpContext) {
  if (context.draft.exists && context.isDirty) {
    context.draft.create();
    context.cleans = true;
  }
  return DONE;
}

const notACache = () => failed(Errno.EINVAL);

export const cacheOps: readonly (readonly [code: number, handler: OpHandler])[] = [
  [OsdOpCode.isDirty, isDirty],
  [OsdOpCode.undirty, undirty],
  [OsdOpCode.cacheFlush, notACache],
  [OsdOpCode.cacheEvict, notACache],
  [OsdOpCode.cacheTryFlush, notACache],
  [OsdOpCode.cachePin, notACache],
  [OsdOpCode.cacheUnpin, notACache],
];
