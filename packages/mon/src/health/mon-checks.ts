/** What may be wrong with monitors (HealthMonitor::check_for_mon_down, check_for_clock_skew, check_member_health). */
import { formatAddrVec } from '@spirula/encoding';
import { describeSkew, inSeconds, isTooFar } from '../time-check.ts';
import type { HealthInput } from './health-input.ts';
import type { Raise } from './raise.ts';

export function checkMons(input: HealthInput, raise: Raise): void {
  checkQuorum(input, raise);
  checkClocks(input, raise);
  checkDownOut(input, raise);
}

function checkQuorum({ monmap, quorum }: HealthInput, raise: Raise): void {
  const { ranks, mons } = monmap;
  const absent = [...ranks.keys()].filter((rank) => !quorum.includes(rank));
  if (absent.length === 0) return;
  const names = quorum.map((rank) => ranks[rank]!).join(',');
  const detail = absent.map((rank) => {
    const name = ranks[rank]!;
    return `mon.${name} (rank ${rank}) addr ${formatAddrVec(mons.get(name)!.addrs)} is down (out of quorum)`;
  });
  const summary = `${absent.length}/${ranks.length} mons down, quorum ${names}`;
  raise('MON_DOWN', 'HEALTH_WARN', summary, absent.length, detail);
}

function checkClocks({ clocks, config, monmap }: HealthInput, raise: Raise): void {
  const off = [...clocks]
    .filter(([, reading]) => isTooFar(reading, config))
    .map(([rank, reading]) => ({ name: `mon.${monmap.ranks[rank]!}`, reading }));
  if (off.length === 0) return;
  const detail = off.map(
    ({ name, reading }) => `${name} ${describeSkew(reading, config)} (latency ${inSeconds(reading.latencyUs)}s)`,
  );
  const summary = `clock skew detected on ${off.map(({ name }) => name).join(', ')}`;
  raise('MON_CLOCK_SKEW', 'HEALTH_WARN', summary, off.length, detail);
}

/** Zero acts much like the flag `noout`, and shows nowhere else. */
function checkDownOut({ config, monmap, quorum, downOutIntervalOf }: HealthInput, raise: Raise): void {
  if (!config.mon_warn_on_osd_down_out_interval_zero) return;
  const names = quorum.map((rank) => monmap.ranks[rank]!).filter((name) => downOutIntervalOf(name) === 0);
  if (names.length === 0) return;
  const [plural, has] = names.length > 1 ? ['s', 'have'] : ['', 'has'];
  const summary = `mon${plural} ${names.sort().join(',')} ${has} mon_osd_down_out_interval set to 0`;
  const detail = names.map((name) => `mon.${name} has mon_osd_down_out_interval set to 0`);
  raise('OSD_NO_DOWN_OUT_INTERVAL', 'HEALTH_WARN', summary, names.length, detail);
}
