/** `network CIDR` of a grant: from where it holds (common/ipaddr.cc). */
import type { EntityAddr } from '@spirula/encoding';

/** Whether an address lies in a network; undefined for a text that is none, which holds from nowhere. */
export type CapsNetwork = (addr: EntityAddr) => boolean;

export function parseCapsNetwork(text: string): CapsNetwork | undefined {
  const [ip = '', length = '', ...more] = text.split('/');
  const network = addressBits(ip);
  if (network === undefined || more.length > 0 || !/^\d+$/.test(length)) return undefined;
  const prefix = network.slice(0, Number(length));
  return (addr) => {
    const bits = addressBits(addr.ip);
    return bits !== undefined && bits.length === network.length && bits.startsWith(prefix);
  };
}

/** An address as a text of 32 or 128 bits; undefined for what is none. */
function addressBits(ip: string): string | undefined {
  const binary = (value: number, width: number) => value.toString(2).padStart(width, '0');
  if (ip.includes(':')) {
    const groups = ipv6Groups(ip);
    return groups?.map((group) => binary(group, 16)).join('');
  }
  const bytes = ip.split('.');
  if (bytes.length !== 4 || !bytes.every((byte) => /^\d{1,3}$/.test(byte) && Number(byte) < 256)) return undefined;
  return bytes.map((byte) => binary(Number(byte), 8)).join('');
}

/** The eight groups of an IPv6 address, `::` filled in; undefined for what is none. */
function ipv6Groups(ip: string): number[] | undefined {
  const halves = ip.split('::').map((half) => (half === '' ? [] : half.split(':')));
  if (halves.length > 2) return undefined;
  const missing = 8 - halves.flat().length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const [before = [], after = []] = halves;
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after];
  return groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}
