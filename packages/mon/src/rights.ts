/** What the asker of a request may do here, by the capabilities that its session came with (MonSession::is_capable). */
import { argumentTexts, MalformedCaps, MonCaps, permissionBits } from '@spirula/auth';
import type { EntityAddr, EntityName } from '@spirula/encoding';
import type { CommandDescription } from '@spirula/messages';
import type { Peer } from '@spirula/world';

type Arguments = Readonly<Record<string, unknown>>;

export class Rights {
  readonly entity: EntityName;
  /** From where the asker comes. */
  readonly socketAddr: EntityAddr | undefined;
  /** In the grammar of monitors, to be passed on; undefined: everything is allowed. */
  readonly caps: string | undefined;
  readonly #parsed: MonCaps;

  constructor({ entity, addrs, socketAddr, caps }: Pick<Peer, 'entity' | 'addrs' | 'socketAddr' | 'caps'>) {
    this.entity = entity;
    this.socketAddr = socketAddr ?? addrs[0];
    this.caps = caps;
    this.#parsed = caps === undefined ? MonCaps.everything : parseOrNothing(caps, entity);
  }

  /** Whether a message of a service may be taken; `needs` is of the letters `rwx`. */
  may(service: string, needs: string): boolean {
    return this.#parsed.isCapable({ service, needs: permissionBits(needs) }, this.socketAddr);
  }

  /** Whether a command may be run with these arguments (Monitor::_allowed_command). */
  mayRun({ module, perm }: CommandDescription, prefix: string, args: Arguments): boolean {
    // Nothing need be looked at where all is allowed.
    if (this.caps === undefined) return true;
    const ask = { service: module, command: prefix, args: argumentTexts(args), needs: permissionBits(perm) };
    return this.#parsed.isCapable(ask, this.socketAddr);
  }
}

/** Caps that cannot be read grant nothing. */
function parseOrNothing(caps: string, entity: EntityName): MonCaps {
  try {
    return MonCaps.parse(caps, entity);
  } catch (error) {
    if (!(error instanceof MalformedCaps)) throw error;
    return MonCaps.nothing;
  }
}
