/** What a client may ask of the manager, by its capabilities (DaemonServer::_allowed_command). */
import { argumentTexts, MalformedCaps, MgrCaps, permissionBits } from '@spirula/auth';
import type { CommandDescription } from '@spirula/messages';
import type { CommandArgs } from './commands/command.ts';

export class ClientRights {
  readonly #caps: MgrCaps;

  /** @param caps undefined: everything is allowed */
  constructor(caps: string | undefined) {
    this.#caps = caps === undefined ? MgrCaps.everything : parseOrNothing(caps);
  }

  /** Whether it may do everything: who may not cannot `tell` the manager anything. */
  get allowsAll(): boolean {
    return this.#caps.allowsAll;
  }

  mayRun({ module, perm }: CommandDescription, prefix: string, args: CommandArgs): boolean {
    const ask = {
      ...{ service: module, module: '', command: prefix },
      ...{ args: argumentTexts(args), needs: permissionBits(perm) },
    };
    // 16.2.15's manager does not know from where a client comes: what is granted to a network is granted to nobody.
    return this.#caps.isCapable(ask, undefined);
  }
}

function parseOrNothing(caps: string): MgrCaps {
  try {
    return MgrCaps.parse(caps);
  } catch (error) {
    if (!(error instanceof MalformedCaps)) throw error;
    return MgrCaps.nothing;
  }
}
