/** Faults of disks. What they changed stays changed when they end. */
import { type DiskFaults, type Undo, undoAll, type WriteFate } from '@spirula/sim-world';
import type { FaultOf } from './fault.ts';
import type { Apply } from './scene.ts';

/** No stall that nobody ends lasts longer. */
const STALL_US = 3_600_000_000;

type DiskFault = 'disk-stall' | 'slow-disk' | 'disk-full';
type FailingFault = 'read-error' | 'write-error' | 'flush-error';
type SpoilingFault = 'torn-write' | 'misdirected-write' | 'lost-write';

function onDisks<K extends DiskFault>(strike: (faults: DiskFaults, fault: FaultOf<K>) => Undo): Apply<K> {
  return ({ processes }, fault) => undoAll(processes.map(({ disk }) => strike(disk.faults, fault)));
}

function failing(operations: readonly ('read' | 'write' | 'flush' | 'commit')[]): Apply<FailingFault> {
  return ({ processes }, { oneIn }) => {
    const which = oneIn === undefined ? {} : { oneIn };
    return undoAll(processes.flatMap(({ disk }) => operations.map((operation) => disk.faults.fail(operation, which))));
  };
}

function spoiling(fate: WriteFate): Apply<SpoilingFault> {
  return ({ processes }, { count }) =>
    undoAll(processes.flatMap(({ disk }) => Array.from({ length: count }, () => disk.faults.spoilNextWrite(fate))));
}

const bitRot: Apply<'bit-rot'> = ({ processes }, { count }) => {
  for (const { disk } of processes) disk.faults.rotSome(count);
  return undefined;
};

export const DISK_FAULTS = {
  'read-error': failing(['read']),
  'write-error': failing(['write']),
  'flush-error': failing(['flush', 'commit']),
  'bit-rot': bitRot,
  'torn-write': spoiling('torn'),
  'misdirected-write': spoiling('misdirected'),
  'lost-write': spoiling('lost'),
  'disk-stall': onDisks<'disk-stall'>((faults) => faults.stall(STALL_US)),
  'slow-disk': onDisks<'slow-disk'>((faults, { factor }) => faults.slow(factor)),
  'disk-full': onDisks<'disk-full'>((faults) => faults.fill()),
};
