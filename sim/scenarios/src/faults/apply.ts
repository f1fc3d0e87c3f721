/** What each fault does. */
import { applyCommand, applyFocus } from './apply-commands.ts';
import { NETWORK_FAULTS } from './apply-network.ts';
import { PROCESS_FAULTS } from './apply-processes.ts';
import type { FaultKind } from './fault.ts';
import type { Apply } from './scene.ts';

export const APPLY: { readonly [K in FaultKind]: Apply<K> } = {
  ...PROCESS_FAULTS,
  ...NETWORK_FAULTS,
  heal: ({ mend }) => {
    mend();
    return undefined;
  },
  command: applyCommand,
  focus: applyFocus,
};
