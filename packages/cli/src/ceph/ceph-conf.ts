import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { AddrType, type AddrVec, type EntityAddr } from '@spirula/encoding';
import { UserError } from '../cluster/user-error.ts';

/** Where monitors listen when a mon_host names no port. */
const MSGR2_PORT = 3300;

/** A ceph.conf: sections of options. Names have underscores, however they were written. */
export class CephConf {
  readonly #sections = new Map<string, Map<string, string>>();

  /** Reads the ini form: `;` and `#` begin comments, a trailing backslash continues a line (common/ConfUtils.cc). */
  static parse(text: string): CephConf {
    const conf = new CephConf();
    let section = conf.#section('global');
    for (const line of text.replaceAll(/\\\r?\n/g, '').split(/\r?\n/)) {
      const plain = line.replace(/(^|\s)[;#].*$/, '').trim();
      const heading = /^\[(.+)\]$/.exec(plain);
      const option = /^([^=]+?)\s*=\s*(.*)$/.exec(plain);
      if (heading) section = conf.#section(heading[1]!.trim());
      else if (option) section.set(normalName(option[1]!), unquote(option[2]!));
    }
    return conf;
  }

  /** What holds for a client: its own section first, then `[client]`, then `[global]`. */
  get(option: string, client = 'client.admin'): string | undefined {
    for (const name of [client, 'client', 'global']) {
      const value = this.#sections.get(name)?.get(normalName(option));
      if (value !== undefined) return value;
    }
    return undefined;
  }

  #section(name: string): Map<string, string> {
    const section = this.#sections.get(name) ?? new Map<string, string>();
    this.#sections.set(name, section);
    return section;
  }
}

function normalName(name: string): string {
  return name.trim().replaceAll(/[\s-]+/g, '_');
}

function unquote(value: string): string {
  return /^"(.*)"$/.exec(value)?.[1] ?? value;
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
