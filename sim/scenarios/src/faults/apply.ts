/** What each fault does. */

import { CLOCK_FAULTS } from './apply-clocks.ts';
import { applyCommand, applyFocus } from './apply-commands.ts';
import { DISK_FAULTS } from './apply-disks.ts';
import { NETWORK_FAULTS } from './apply-network.ts';
import { PROCESS_FAULTS } from './apply-processes.ts';
import type { FaultKind } from './fault.ts';
import type { Apply } from './scene.ts';

export const APPLY: { readonly [K in FaultKind]: Apply<K> } = {
  ...PROCESS_FAULTS,
  ...DISK_FAULTS,
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
  heal: ({ mend }) => {
    mend();
    return undefined;
  },
  command: applyCommand,
  focus: applyFocus,
};
