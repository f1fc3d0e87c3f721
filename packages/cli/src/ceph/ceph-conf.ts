import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { ConfFileError, type ConfSections, expandMeta, lookUp, parseConfFile } from '@spirula/config';
import { AddrType, type AddrVec, type EntityAddr } from '@spirula/encoding';
import { UserError } from '../cluster/user-error.ts';

/** Where monitors listen when a mon_host names no port. */
const MSGR2_PORT = 3300;

/** A ceph.conf as clients and tools ask it. */
export class CephConf {
  readonly #sections: ConfSections;
  readonly #cluster: string;

  private constructor(sections: ConfSections, cluster: string) {
    this.#sections = sections;
    this.#cluster = cluster;
  }

  /** @param cluster what `$cluster` stands for. @throws UserError with Ceph's words when it does not parse. */
  static parse(text: string, cluster = 'ceph'): CephConf {
    try {
      return new CephConf(parseConfFile(text), cluster);
    } catch (error) {
      if (!(error instanceof ConfFileError)) throw error;
      throw new UserError(error.message);
    }
  }

  /** What holds for a client or daemon: its own section first, then its type's, then `[global]`; metavariables filled in. */
  get(option: string, who = 'client.admin'): string | undefined {
    const dot = who.indexOf('.');
    const entity = { type: who.slice(0, dot), id: who.slice(dot + 1) };
    const value = lookUp(this.#sections, entity, option);
    const meta = { cluster: this.#cluster, ...entity, host: hostname(), pid: process.pid };
    return value && expandMeta(value, meta, (name) => lookUp(this.#sections, entity, name));
  }
}

/**
 * The monitors of a mon_host: addresses, `v2:` and `v1:` addresses, or vectors of them in brackets, separated by commas
 * or blanks. Host names are looked up.
 *
 * @throws UserError when there is none, or one cannot be read.
 */
export async function parseMonHost(monHost: string): Promise<AddrVec[]> {
  const mons: AddrVec[] = [];
  for (const [, vector, single] of monHost.matchAll(/\[((?:any|v[12]):[^\]]*(?:\[[^\]]*\][^\]]*)*)\]|([^\s,;]+)/g)) {
    const parts = (vector ?? single ?? '').split(',').map((part) => part.trim());
    const addrs = await Promise.all(parts.map(parseAddr));
    // Only msgr2 is spoken.
    const msgr2 = addrs.filter((addr) => addr.type === AddrType.v2);
    if (msgr2.length > 0) mons.push(msgr2);
  }
  if (mons.length === 0) throw new UserError(`mon_host = ${monHost} names no monitor that speaks msgr2.`);
  return mons;
}

async function parseAddr(text: string): Promise<EntityAddr> {
  const match = /^(?:(v1|v2|any):)?(\[[^\]]+\]|[^:/]+|[0-9a-fA-F:]+?)(?::(\d+))?(?:\/(\d+))?$/.exec(text);
  if (!match) throw new UserError(`mon_host: ${text} is no address.`);
  const [, kind, host = '', port, nonce] = match;
  const name = host.replaceAll(/[[\]]/g, '');
  const ip = isIP(name) === 0 ? await resolveHost(name) : name;
  return {
    type: kind === 'v1' ? AddrType.v1 : AddrType.v2,
    nonce: Number(nonce ?? 0),
    family: isIP(ip) === 6 ? 10 : 2,
    ip,
    port: Number(port ?? MSGR2_PORT),
  };
}

async function resolveHost(name: string): Promise<string> {
  try {
    return (await lookup(name)).address;
  } catch {
    throw new UserError(`mon_host: ${name} cannot be resolved.`);
  }
}
