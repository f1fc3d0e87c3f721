/** A pool in memory, for calls of classes as an OSD makes them. */
import { builtinClasses } from '@spirula/cls';
import { type Bytes, EMPTY, Errno } from '@spirula/encoding';
import { callArgs, OsdOpCode } from '@spirula/messages';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { MemoryObject } from '../../../cls/src/memory-object.test-support.ts';

export class MemoryPool {
  readonly objects = new Map<string, MemoryObject>();
  /** Names of the methods that were called. */
  readonly calls: string[] = [];

  /** Operations of one call, and of what guards it. */
  get io(): IoCtx {
    const submit = async (oid: string, operation: ObjectOperation) => this.#submit(oid, operation);
    const operate = async (oid: string, operation: ObjectOperation) => {
      const reply = this.#submit(oid, operation);
      if (reply.result < 0) throw new RadosError(reply.result, oid);
      return reply;
    };
    const exec = async (oid: string, cls: string, method: string, input: Bytes) => {
      const { ops } = await operate(oid, new ObjectOperation().exec(cls, method, input));
      return ops[0]!.output;
    };
    return { submit, operate, exec } as unknown as IoCtx;
  }

  #submit(oid: string, { ops }: ObjectOperation) {
    const [call] = ops.filter(({ code }) => code === OsdOpCode.call);
    const { cls, method, input } = callArgs(call!);
    const found = builtinClasses.find(({ name }) => name === cls)!;
    this.calls.push(method);
    const object = this.objects.get(oid);
    if (!object) return { result: Errno.ENOENT as number, ops: [{ rval: 0, output: EMPTY }] };
    const { code, output } = object.call(found, method, input);
    return { result: code, ops: ops.map(() => ({ rval: code, output })) };
  }
}
