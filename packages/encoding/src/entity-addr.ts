import type { Decoder } from './decoder.ts';
import type { Encoder } from './encoder.ts';
import { AddrType, type AddrVec, type EntityAddr } from './types.ts';

const SOCKADDR_IN = 2;
const SOCKADDR_IN6 = 10;
/** struct sockaddr_in and sockaddr_in6, with their family. */
const IPV4_BYTES = 16;
const IPV6_BYTES = 28;

/** entity_addr_t with its marker byte, as from Nautilus on (msg/msg_types.h). */
export function encodeAddr(encoder: Encoder, addr: EntityAddr): void {
  encoder.u8(1);
  encoder.struct(1, 1, () => {
    encoder.u32(addr.type);
    encoder.u32(addr.nonce);
    if (addr.family === 0) {
      encoder.u32(0);
      return;
    }
    encoder.u32(addr.family === SOCKADDR_IN ? IPV4_BYTES : IPV6_BYTES);
    encoder.u16(addr.family);
    encoder.u16be(addr.port);
    if (addr.family === SOCKADDR_IN) {
      for (const octet of addr.ip.split('.')) encoder.u8(Number(octet));
      encoder.u64(0);
      return;
    }
    encoder.u32(0);
    for (const group of ipv6Groups(addr.ip)) encoder.u16be(group);
    encoder.u32(0);
  });
}

/** @throws MalformedInput, also for the encoding from before Nautilus. */
export function decodeAddr(decoder: Decoder, field: string): EntityAddr {
  const marker = decoder.u8(field);
  if (marker !== 1) decoder.fail(field, `an address marked ${marker}`);
  return decoder.struct(field, 1, () => {
    const type = decoder.u32(field);
    const nonce = decoder.u32(field);
    const length = decoder.u32(field);
    if (length === 0) return { type, nonce, family: 0, ip: '', port: 0 };
    const family = decoder.u16(field);
    if (family === 0) return { type, nonce, family: 0, ip: '', port: 0 };
    const port = decoder.u16be(field);
    if (family === SOCKADDR_IN) {
      const octets = decoder.raw(4, field);
      return { type, nonce, family, ip: octets.join('.'), port };
    }
    if (family !== SOCKADDR_IN6) decoder.fail(field, `address family ${family}`);
    decoder.u32(field);
    const groups: number[] = [];
    for (let i = 0; i < 8; i++) groups.push(decoder.u16be(field));
    return { type, nonce, family, ip: formatIpv6(groups), port };
  });
}

/** entity_addrvec_t. */
export function encodeAddrVec(encoder: Encoder, addrs: AddrVec): void {
  encoder.u8(2);
  encoder.list(addrs, (addr) => encodeAddr(encoder, addr));
}

/** Takes a lone address too, as Ceph does. @throws MalformedInput */
export function decodeAddrVec(decoder: Decoder, field: string): AddrVec {
  if (decoder.bytes[decoder.offset] === 1) return [decodeAddr(decoder, field)];
  const marker = decoder.u8(field);
  if (marker !== 2) decoder.fail(field, `an address vector marked ${marker}`);
  return decoder.list(field, 7, () => decodeAddr(decoder, field));
}

/**
 * `10.0.0.1:6800/4711`, `[::1]:0/5`, an address alone; a protocol before it does not count: what it names is of any. Undefined when
 * it is no address.
 */
export function parseEntityAddr(text: string): EntityAddr | undefined {
  const match = /^(?:(?:v1|v2|any):)?(?:\[([0-9a-fA-F:.]+)\]|([\d.]+)|([0-9a-fA-F:]+))(?::(\d+))?(?:\/(\d+))?$/.exec(
    text,
  );
  if (!match) return undefined;
  const [, bracketed, ipv4, bare, portText = '0', nonceText = '0'] = match;
  const [port, nonce] = [Number(portText), Number(nonceText)];
  if (port > 0xffff || nonce > 0xffff_ffff) return undefined;
  const rest = { type: AddrType.any, nonce, port };
  if (ipv4 !== undefined) {
    const octets = ipv4.split('.');
    const isWhole = octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
    return isWhole ? { ...rest, family: SOCKADDR_IN, ip: octets.map(Number).join('.') } : undefined;
  }
  const groups = ipv6Groups(bracketed ?? bare ?? '');
  const isWhole = groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff);
  return isWhole ? { ...rest, family: SOCKADDR_IN6, ip: formatIpv6(groups) } : undefined;
}

/** Eight 16-bit groups of an IPv6 address. */
function ipv6Groups(ip: string): number[] {
  const [head = '', tail] = ip.split('::');
  const parse = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const front = parse(head);
  if (tail === undefined) return front;
  const back = parse(tail);
  return [...front, ...new Array<number>(Math.max(0, 8 - front.length - back.length)).fill(0), ...back];
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`. */
function formatIpv6(groups: readonly number[]): string {
  let start = 0;
  let longest = 0;
  for (let i = 0; i < groups.length; i++) {
    let run = 0;
    while (groups[i + run] === 0) run += 1;
    if (run > longest) {
      start = i;
      longest = run;
    }
  }
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (longest < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + longest))}`;
}
