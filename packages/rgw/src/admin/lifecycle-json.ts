/** Lifecycle rules as radosgw-admin prints them (RGWLifecycleConfiguration::dump, rgw_lc.cc). */
import { formatUTime, textFromRaw } from '@spirula/encoding';
import type { LifecycleExpiration, LifecycleRule, LifecycleTransition } from '../formats/lifecycle.ts';
import type { Tags } from '../formats/tags.ts';
import { prefixOf } from '../lifecycle/due.ts';
import { parseIsoDate } from '../s3/http-date.ts';

export function lifecycleJson(rules: readonly LifecycleRule[]) {
  const byPrefix = [...rules].sort((a, b) => (prefixOf(a) < prefixOf(b) ? -1 : 1));
  const byId = [...rules].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    prefix_map: Object.fromEntries(byPrefix.map((rule) => [textFromRaw(prefixOf(rule)), operationJson(rule)])),
    rule_map: byId.map((rule) => ({ id: textFromRaw(rule.id), rule: ruleJson(rule) })),
  };
}

/** What is done by a rule, in numbers. */
function operationJson(rule: LifecycleRule) {
  const { expiration, noncurrentExpiration, multipartExpiration, expireDeleteMarkers, filter } = rule;
  return {
    status: rule.status === 'Enabled',
    dm_expiration: expireDeleteMarkers,
    expiration: Number(expiration.days),
    noncur_expiration: Number(noncurrentExpiration.days),
    mp_expiration: Number(multipartExpiration.days),
    ...(expiration.date !== '' && { expiration_date: dateText(expiration.date) }),
    ...(filter.tags.size > 0 && { obj_tags: { tagset: tagsJson(filter.tags) } }),
    transitions: actionsJson(rule.transitions),
    noncur_transitions: actionsJson(rule.noncurrentTransitions),
  };
}

function actionsJson(transitions: ReadonlyMap<string, LifecycleTransition>) {
  return Object.fromEntries(
    [...transitions].map(([storageClass, { days, date }]) => [
      textFromRaw(storageClass),
      date === '' ? { days: Number(days) } : { date: dateText(date) },
    ]),
  );
}

function ruleJson(rule: LifecycleRule) {
  return {
    id: textFromRaw(rule.id),
    prefix: textFromRaw(rule.prefix),
    status: rule.status,
    expiration: spanJson(rule.expiration),
    noncur_expiration: spanJson(rule.noncurrentExpiration),
    mp_expiration: spanJson(rule.multipartExpiration),
    filter: { prefix: textFromRaw(rule.filter.prefix), obj_tags: { tagset: tagsJson(rule.filter.tags) } },
    transitions: transitionsJson(rule.transitions),
    noncur_transitions: transitionsJson(rule.noncurrentTransitions),
    dm_expiration: rule.expireDeleteMarkers,
  };
}

function transitionsJson(transitions: ReadonlyMap<string, LifecycleTransition>) {
  return Object.fromEntries(
    [...transitions].map(([name, { days, date, storageClass }]) => [
      textFromRaw(name),
      { days, date, storage_class: textFromRaw(storageClass) },
    ]),
  );
}

function spanJson({ days, date }: LifecycleExpiration) {
  return { days, date };
}

function tagsJson(tags: Tags) {
  return Object.fromEntries([...tags].map(([key, value]) => [textFromRaw(key), textFromRaw(value)]));
}

function dateText(date: string): string {
  const time = parseIsoDate(date);
  return time ? formatUTime(time) : date;
}
