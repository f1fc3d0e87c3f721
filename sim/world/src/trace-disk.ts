/**
 * A daemon's ports to its disk, each call of the daemon told to a trace. Not told: reads of the key-value store, which are of
 * memory, and what checkers read while the daemon is not at work.
 */
import type { Bytes } from '@spirula/encoding';
import { type Batch, type BlockDevice, DeviceError, type KeyValue, type KvRange, type Token } from '@spirula/world';
import type { DiskEntry } from './trace.ts';
import type { Tracer } from './tracer.ts';

export function traceKeyValue(kv: KeyValue, daemon: string, tracer: Tracer): KeyValue {
  return {
    get: (key: Bytes) => kv.get(key),
    range: (range: KvRange) => kv.range(range),
    submit: (batch: Batch, token: Token) => {
      const bytes = sizeOf(batch);
      tracer.record({ kind: 'disk', daemon, what: 'submit', token, ops: batch.length, bytes });
      kv.submit(batch, token);
    },
  };
}

export function traceBlocks(block: BlockDevice, daemon: string, tracer: Tracer, isAtWork: () => boolean): BlockDevice {
  const attempt = <T>(what: DiskEntry['what'], facts: Partial<DiskEntry>, work: () => T): T => {
    if (!isAtWork()) return work();
    try {
      const result = work();
      tracer.record({ kind: 'disk', daemon, what, ...facts });
      return result;
    } catch (error) {
      if (error instanceof DeviceError) tracer.record({ kind: 'disk', daemon, what, ...facts, error: error.message });
      throw error;
    }
  };
  const { size, blockSize, sectorSize } = block;
  return {
    size,
    blockSize,
    sectorSize,
    read: (offset: number, length: number) =>
      attempt('read', { offset, bytes: length }, () => block.read(offset, length)),
    write: (offset: number, bytes: Bytes) =>
      attempt('write', { offset, bytes: bytes.length }, () => block.write(offset, bytes)),
    flush: (token: Token) => attempt('flush', { token }, () => block.flush(token)),
  };
}

function sizeOf(batch: Batch): number {
  let bytes = 0;
  for (const op of batch) {
    if (op.op === 'delRange') bytes += op.start.length + op.end.length;
    else bytes += op.key.length + (op.op === 'put' ? op.value.length : 0);
  }
  return bytes;
}
