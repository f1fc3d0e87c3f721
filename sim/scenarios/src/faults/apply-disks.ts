/** Faults of disks. They end with `DiskFaults.heal`, all together; what they changed stays changed. */
import type { DiskFaults, WriteFate } from '@spirula/sim-world';
import type { FaultOf } from './fault.ts';
import type { Apply } from './scene.ts';

/** No stall that nobody ends lasts longer. */
const STALL_US = 3_600_000_000;

type DiskFault = 'disk-stall' | 'slow-disk' | 'disk-full' | 'bit-rot';
type FailingFault = 'read-error' | 'write-error' | 'flush-error';
type SpoilingFault = 'torn-write' | 'misdirected-write' | 'lost-write';

function onDisks<K extends DiskFault>(strike: (faults: DiskFaults, fault: FaultOf<K>) => void): Apply<K> {
  return ({ processes }, fault) => {
    for (const { disk } of processes) strike(disk.faults, fault);
    return () => {
      for (const { disk } of processes) disk.faults.heal();
    };
  };
}

function failing(operations: readonly ('read' | 'write' | 'flush' | 'commit')[]): Apply<FailingFault> {
  return ({ processes }, { oneIn }) => {
    for (const { disk } of processes) {
      for (const operation of operations) disk.faults.fail(operation, oneIn === undefined ? {} : { oneIn });
    }
    return () => {
      for (const { disk } of processes) disk.faults.heal();
    };
  };
}

function spoiling(fate: WriteFate): Apply<SpoilingFault> {
  return ({ processes }, { count }) => {
    for (const { disk } of processes) for (let i = 0; i < count; i++) disk.faults.spoilNextWrite(fate);
    return () => {
      for (const { disk } of processes) disk.faults.heal();
    };
  };
}

export const DISK_FAULTS = {
  'read-error': failing(['read']),
  'write-error': failing(['write']),
  'flush-error': failing(['flush', 'commit']),
  'bit-rot': onDisks<'bit-rot'>((faults, { count }) => faults.rotSome(count)),
  'torn-write': spoiling('torn'),
  'misdirected-write': spoiling('misdirected'),
  'lost-write': spoiling('lost'),
  'disk-stall': onDisks<'disk-stall'>((faults) => faults.stall(STALL_US)),
  'slow-disk': onDisks<'slow-disk'>((faults, { factor }) => faults.slow(factor)),
  'disk-full': onDisks<'disk-full'>((faults) => faults.fill()),
};
