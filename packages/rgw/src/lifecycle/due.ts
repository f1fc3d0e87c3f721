/** What lifecycle rules want of an object, a version or an upload, now (obj_has_expired and the LCOpAction classes, rgw_lc.cc). */
import type { RawString, UTime } from '@spirula/encoding';
import type { LifecycleExpiration, LifecycleRule } from '../formats/lifecycle.ts';
import type { Tags } from '../formats/tags.ts';
import { parseIsoDate } from '../s3/http-date.ts';

const DAY_SEC = 86_400;

/** By what days are counted. */
export interface LifecycleClock {
  readonly now: UTime;
  /** rgw_lc_debug_interval: so many seconds are a day; undefined: a day is one, and they are counted from midnight. */
  readonly debugInterval: number | undefined;
}

/** One of all versions of a name, or an object without versions. */
export interface LifecycleVersion {
  readonly name: RawString;
  readonly mtime: UTime;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  /** Since when it has not been the current one; undefined: it is. */
  readonly noncurrentSince: UTime | undefined;
  /** Whether there is no other version of the name. */
  readonly isAlone: boolean;
  /** By its own name, the standard one too. */
  readonly storageClass: RawString;
}

/** `expire`: hide or remove the current object. `remove`: remove this version. `transition`: move it to a storage class. */
type LifecycleAction = 'expire' | 'remove' | { readonly transition: RawString };

interface Found {
  readonly action: LifecycleAction;
  readonly rule: LifecycleRule;
}

/**
 * What the rules want: an end, of the first rule that wants one; else the transition that was due last. Tags are looked at for rules
 * that have some.
 */
export async function actionFor(
  rules: readonly LifecycleRule[],
  version: LifecycleVersion,
  clock: LifecycleClock,
  readTags: () => Promise<Tags>,
): Promise<Found | undefined> {
  let last: { readonly due: Due; readonly rule: LifecycleRule } | undefined;
  for (const rule of rules) {
    if (rule.status !== 'Enabled' || !version.name.startsWith(prefixOf(rule))) continue;
    const action = wanted(rule, version, clock);
    const due = action === undefined ? dueTransition(rule, version, clock) : undefined;
    if (action === undefined && (!due || (last && due.at <= last.due.at))) continue;
    if (rule.filter.tags.size > 0 && (version.isDeleteMarker || !hasTags(await readTags(), rule.filter.tags))) continue;
    if (action !== undefined) return { action, rule };
    if (due) last = { due, rule };
  }
  if (!last || last.due.storageClass === version.storageClass) return undefined;
  return { action: { transition: last.due.storageClass }, rule: last.rule };
}

interface Due {
  /** Seconds of the wall clock, or of the days that are none. */
  readonly at: number;
  readonly storageClass: RawString;
}

/** Of those of a rule that are due, the last one. */
function dueTransition(rule: LifecycleRule, version: LifecycleVersion, clock: LifecycleClock): Due | undefined {
  const { mtime, isLatest, isDeleteMarker, noncurrentSince } = version;
  if (isDeleteMarker || (!isLatest && !noncurrentSince)) return undefined;
  const since = noncurrentSince ?? mtime;
  const transitions = noncurrentSince ? rule.noncurrentTransitions : rule.transitions;
  let last: Due | undefined;
  for (const transition of transitions.values()) {
    if (!isDue(since, transition, clock)) continue;
    const at = dateOf(transition)?.sec ?? since.sec + Number(transition.days) * (clock.debugInterval ?? DAY_SEC);
    if (!last || at > last.at) last = { at, storageClass: transition.storageClass };
  }
  return last;
}

/** What the names begin with that a rule is about. */
export function prefixOf({ prefix, filter }: LifecycleRule): RawString {
  return filter.prefix === '' ? prefix : filter.prefix;
}

function hasTags(tags: Tags, wanted: Tags): boolean {
  return [...wanted].every(([key, value]) => tags.get(key) === value);
}

/** Whether something of that time has reached its end. */
export function isDue(
  since: UTime,
  { days, date }: LifecycleExpiration,
  { now, debugInterval }: LifecycleClock,
): boolean {
  if (date !== '') {
    const at = dateOf({ date });
    return at !== undefined && now.sec >= at.sec;
  }
  if (days === '') return false;
  if (debugInterval !== undefined) return now.sec - since.sec >= Number(days) * debugInterval;
  return now.sec - (now.sec % DAY_SEC) - since.sec >= Number(days) * DAY_SEC;
}

/** Undefined: it says none. */
function dateOf({ date }: Pick<LifecycleExpiration, 'date'>): UTime | undefined {
  return date === '' ? undefined : parseIsoDate(date.includes('T') ? date : `${date}T00:00:00Z`);
}

function wanted(
  rule: LifecycleRule,
  version: LifecycleVersion,
  clock: LifecycleClock,
): 'expire' | 'remove' | undefined {
  const { mtime, isLatest, isDeleteMarker, noncurrentSince, isAlone } = version;
  if (noncurrentSince) return isDue(noncurrentSince, rule.noncurrentExpiration, clock) ? 'remove' : undefined;
  if (!isLatest) return undefined;
  if (!isDeleteMarker) return isDue(mtime, rule.expiration, clock) ? 'expire' : undefined;
  // A delete marker that hides nothing.
  return isAlone && (rule.expireDeleteMarkers || isDue(mtime, rule.expiration, clock)) ? 'remove' : undefined;
}

/** When an object will end, as answers announce it (`x-amz-expiration`): a midnight. Undefined: no rule ends it. */
export function announcedEnd(
  rules: readonly LifecycleRule[],
  object: { readonly name: RawString; readonly mtime: UTime; readonly tags: Tags },
): { readonly at: UTime; readonly rule: LifecycleRule } | undefined {
  let first: { readonly at: UTime; readonly rule: LifecycleRule } | undefined;
  for (const rule of rules) {
    if (rule.status !== 'Enabled' || !object.name.startsWith(prefixOf(rule))) continue;
    if (!hasTags(object.tags, rule.filter.tags)) continue;
    const at = endOf(object.mtime, rule.expiration);
    if (at && (!first || at.sec < first.at.sec)) first = { at, rule };
  }
  return first;
}

function endOf({ sec }: UTime, { days, date }: LifecycleExpiration): UTime | undefined {
  if (date !== '') return dateOf({ date });
  if (days === '') return undefined;
  return { sec: sec - (sec % DAY_SEC) + (Number(days) + 1) * DAY_SEC, nsec: 0 };
}
