import { AddrType, type AddrVec, type EntityAddr, formatSockaddr } from '@spirula/encoding';

const TYPE_NAMES: Readonly<Record<number, string>> = {
  [AddrType.none]: 'none',
  [AddrType.v1]: 'v1',
  [AddrType.v2]: 'v2',
  [AddrType.any]: 'any',
};

/** entity_addr_t::dump. */
export function dumpAddr(addr: EntityAddr) {
  return { type: TYPE_NAMES[addr.type] ?? '???', addr: formatSockaddr(addr), nonce: addr.nonce };
}

/** entity_addrvec_t::dump. */
export function dumpAddrVec(addrs: AddrVec) {
  return {
    addrvec: addrs.map(dumpAddr),
  };
}

/** The one address that readers from before msgr2 look at: the v1 one, else the first (get_legacy_str). */
export function legacyAddr(addrs: AddrVec): string {
  const addr = addrs.find(({ type }) => type === AddrType.v1) ?? addrs[0];
  return addr ? `${formatSockaddr(addr)}/${addr.nonce}` : '(unrecognized address family 0)/0';
}
