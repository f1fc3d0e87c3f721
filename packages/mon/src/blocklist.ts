/** Changes of the blocklist on their way into the next map (OSDMonitor::prepare_command_impl and tick). */
import { compareUTimes, type EntityAddr, sameAddr, type UTime } from '@spirula/encoding';
import type { OsdMap, OsdMapIncremental } from '@spirula/maps';

const NANOSECONDS = 1_000_000_000;

/** A client is refused for `seconds` from now on. Returns until when. */
export function addToBlocklist(inc: OsdMapIncremental, addr: EntityAddr, seconds: number, now: UTime): UTime {
  const nsec = now.nsec + Math.round((seconds % 1) * NANOSECONDS);
  const carry = Math.floor(nsec / NANOSECONDS);
  const sec = Math.min(now.sec + Math.floor(seconds) + carry, 0xffff_ffff);
  const until = { sec, nsec: nsec - carry * NANOSECONDS };
  forget(inc, addr);
  inc.newBlocklist.push([addr, until]);
  return until;
}

/** Returns false when it is not on the list, nor about to be. */
export function removeFromBlocklist(map: OsdMap, inc: OsdMapIncremental, addr: EntityAddr): boolean {
  const wasPending = inc.newBlocklist.some(([each]) => sameAddr(each, addr));
  const isListed = map.blocklist.some(([each]) => sameAddr(each, addr));
  forget(inc, addr);
  if (isListed) inc.oldBlocklist.push(addr);
  return isListed || wasPending;
}

export function clearBlocklist(map: OsdMap, inc: OsdMapIncremental): void {
  inc.newBlocklist = [];
  inc.oldBlocklist = map.blocklist.map(([addr]) => addr);
}

/** Takes entries off whose time is up. Returns whether there were any. */
export function expireBlocklist(map: OsdMap, inc: OsdMapIncremental, now: UTime): boolean {
  let expired = false;
  for (const [addr, until] of map.blocklist) {
    if (compareUTimes(until, now) >= 0 || inc.oldBlocklist.some((each) => sameAddr(each, addr))) continue;
    if (inc.newBlocklist.some(([each]) => sameAddr(each, addr))) continue;
    inc.oldBlocklist.push(addr);
    expired = true;
  }
  return expired;
}

function forget(inc: OsdMapIncremental, addr: EntityAddr): void {
  inc.newBlocklist = inc.newBlocklist.filter(([each]) => !sameAddr(each, addr));
  inc.oldBlocklist = inc.oldBlocklist.filter((each) => !sameAddr(each, addr));
}
