/** What a client may ask of the manager, by its capabilities (DaemonServer::_allowed_command). */
import { argumentTexts, MalformedCaps, type MgrAsk, MgrCaps, permissionBits } from '@spirula/auth';
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

  /** @param part the module that has the command; '': the manager itself */
  mayRun({ module, perm }: CommandDescription, prefix: string, args: CommandArgs, part = ''): boolean {
    return this.#isCapable({
      ...{ service: part === '' ? module : '', module: part, command: prefix },
      ...{ args: argumentTexts(args), needs: permissionBits(perm) },
    });
  }

  /** Whether a module may do for it what the arguments say; its commands are allowed whatever these are. */
  mayReach({ perm }: CommandDescription, module: string, args: ReadonlyMap<string, string>): boolean {
    return this.#isCapable({ service: '', module, command: '', args, needs: permissionBits(perm) });
  }

  #isCapable(ask: MgrAsk): boolean {
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
