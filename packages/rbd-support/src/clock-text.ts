/** Times as Ceph's modules write them: without a zone. It is UTC here, whatever the host's is. */
import { civilDate, type UTime } from '@spirula/encoding';

const DAY = 86_400;

/** `2026-12-01T11:17:16.697340`, the fraction left out where it is none (datetime.isoformat). */
export function isoTime({ sec, nsec }: UTime): string {
  const micros = Math.floor(nsec / 1000);
  return `${dateText(sec)}T${timeText(sec)}${micros === 0 ? '' : `.${String(micros).padStart(6, '0')}`}`;
}

/** `2026-12-01 11:17:00` of minutes since 1970. */
export function minuteText(minutes: number): string {
  return `${dateText(minutes * 60)} ${timeText(minutes * 60)}`;
}

function dateText(sec: number): string {
  const { year, month, day } = civilDate(Math.floor(sec / DAY));
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
}

function timeText(sec: number): string {
  const inDay = sec % DAY;
  return `${two(Math.floor(inDay / 3600))}:${two(Math.floor(inDay / 60) % 60)}:${two(inDay % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
