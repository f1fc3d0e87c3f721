/** What a client may ask of the manager, by its capabilities (DaemonServer::_allowed_command). */
import { argumentTexts, MalformedCaps, MgrCaps, permissionBits } from '@spirula/auth';
import type { AddrVec } from '@spirula/encoding';
import type { CommandDescription } from '@spirula/messages';
import type { Peer } from '@spirula/world';
import type { CommandArgs } from './commands/command.ts';

export class ClientRights {
  readonly #caps: MgrCaps;
  readonly #addrs: AddrVec;

  constructor({ caps, addrs }: Pick<Peer, 'caps' | 'addrs'>) {
    this.#caps = caps === undefined ? MgrCaps.everything : parseOrNothing(caps);
    this.#addrs = addrs;
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
    return this.#caps.isCapable(ask, this.#addrs[0]);
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
