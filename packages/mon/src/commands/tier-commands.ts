/** Cache tiers, which are not here (mon/OSDMonitor.cc, `osd tier`). */
import { allUnsupported, deprecated, type MonCommandEntry } from './command.ts';

const NO_TIERS = 'cache tiers are not supported';

export const tierCommands: readonly MonCommandEntry[] = [
  ...allUnsupported(
    [
      'rw osd tier add <pool:pool> <tierpool:pool> [force_nonempty:=--force-nonempty]',
      'rw osd tier rm <pool:pool> <tierpool:pool>',
      'rw osd tier cache-mode <pool:pool> <mode:writeback|proxy|readproxy|readonly|none> [yes_i_really_mean_it:bool]',
      'rw osd tier set-overlay <pool:pool> <overlaypool:pool>',
      'rw osd tier rm-overlay <pool:pool>',
      'rw osd tier add-cache <pool:pool> <tierpool:pool> <size:count>',
    ],
    NO_TIERS,
    'osd',
  ),
  ...allUnsupported(
    ['rw osd tier remove <pool:pool> <tierpool:pool>', 'rw osd tier remove-overlay <pool:pool>'],
    NO_TIERS,
    'osd',
  ).map(deprecated),
];
