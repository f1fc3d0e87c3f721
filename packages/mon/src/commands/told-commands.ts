/** Commands that one monitor answers for itself, by `tell` or over its admin socket: sent to the monitors they are unknown. */
import { type MonCommandEntry, toldOnly } from './command.ts';

export const toldCommands: readonly MonCommandEntry[] = toldOnly([
  'rw compact',
  'rw injectargs <injected_args...>',
  'rw smart [devid]',
  'r mon_status',
  'rw heap <heapcmd:dump|start_profiler|stop_profiler|release|stats> [value]',
  'rwx connection scores dump',
  'rwx connection scores reset',
  'rw sync_force [validate:=--yes-i-really-mean-it]',
  'rw add_bootstrap_peer_hint <addr:addr>',
  'rw add_bootstrap_peer_hintv <addrv>',
  'rw quorum enter',
  'rw quorum exit',
  'r ops',
  'r sessions',
  'r dump_historic_ops',
  'r dump_historic_slow_ops',
]);
