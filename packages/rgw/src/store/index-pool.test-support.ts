/** A pool in memory, for calls of classes as an OSD makes them. */
import { builtinClasses } from '@spirula/cls';
import { type Bytes, EMPTY, Errno } from '@spirula/encoding';
import { callArgs, OsdOpCode } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';

/** What is called beside each method of an index. */
const GUARDS: ReadonlySet<string> = new Set(['guard_bucket_resharding', 'get_bucket_resharding']);

export class MemoryPool {
  readonly objects = new Map<string, MemoryObject>();
  /** Names of the methods that were called, but for what is beside each. */
  readonly calls: string[] = [];

  /** Operations of calls, and of what guards them. */
  get io(): IoCtx {
    const submit = async (oid: string, operation: ObjectOperation) => this.#submit(oid, operation);
    const operate = async (oid: string, operation: ObjectOperation) => {
      const reply = this.#submit(oid, operation);
      if (reply.result < 0) throw new RadosError(reply.result, oid);
      return reply;
    };
    const exec = async (oid: string, cls: string, method: string, input: Bytes) => {
      const { ops } = await operate(oid, new ObjectOperation().exec(cls, method, input));
      return ops.at(-1)!.output;
    };
    return { submit, operate, exec } as unknown as IoCtx;
  }

  #submit(oid: string, { ops }: ObjectOperation) {
    const results = ops.map(() => ({ rval: 0, output: EMPTY }));
    const object = this.objects.get(oid);
    if (!object)
      return { result: Errno.ENOENT as number, ops: results.fill({ rval: Errno.ENOENT, output: EMPTY }, 0, 1) };
    for (const [i, op] of ops.entries()) {
      if (op.code !== OsdOpCode.call) continue;
      const { cls, method, input } = callArgs(op);
      const found = builtinClasses.find(({ name }) => name === cls)!;
      if (!GUARDS.has(method)) this.calls.push(method);
      const { code, output } = object.call(found, method, input);
      results[i] = { rval: code, output };
      if (code < 0) return { result: code, ops: results };
    }
    return { result: 0, ops: results };
  }
}
