/** Lifecycle rules of a bucket: the document (rgw_lc_s3.cc, and AWS's reference). */
import type { Bytes, RawString } from '@spirula/encoding';
import {
  type LifecycleExpiration,
  type LifecycleRule,
  type LifecycleTransition,
  NO_EXPIRATION,
} from '../../formats/lifecycle.ts';
import type { Tags } from '../../formats/tags.ts';
import { parseIsoDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import {
  childNamed,
  childrenNamed,
  childText,
  malformed,
  neededText,
  readXml,
  type XmlElement,
} from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';

/** rgw_lc_max_rules */
const MAX_RULES = 1000;
const MAX_ID_LENGTH = 255;
/** As radosgw keeps them, in 32 bits. */
const MAX_DAYS = 2 ** 31 - 1;
const DAY_SEC = 86_400;

export function lifecycleConfiguration(rules: readonly LifecycleRule[]): Bytes {
  return xmlDocument(s3Root('LifecycleConfiguration', rules.map(ruleElement)));
}

function ruleElement(rule: LifecycleRule): XmlNode {
  return element('Rule', [
    element('ID', rule.id),
    scopeElement(rule),
    element('Status', rule.status),
    rule.expireDeleteMarkers
      ? element('Expiration', [element('ExpiredObjectDeleteMarker', 'true')])
      : expirationElement('Expiration', 'Days', rule.expiration),
    expirationElement('NoncurrentVersionExpiration', 'NoncurrentDays', rule.noncurrentExpiration),
    expirationElement('AbortIncompleteMultipartUpload', 'DaysAfterInitiation', rule.multipartExpiration),
    ...[...rule.transitions.values()].map((each) => transitionElement('Transition', 'Days', each)),
    ...[...rule.noncurrentTransitions.values()].map((each) =>
      transitionElement('NoncurrentVersionTransition', 'NoncurrentDays', each),
    ),
  ]);
}

/** What the rule is about. */
function scopeElement({ prefix, filter }: LifecycleRule): XmlNode {
  const tags = [...filter.tags].map(([key, value]) => element('Tag', [element('Key', key), element('Value', value)]));
  const parts = [...(filter.prefix === '' ? [] : [element('Prefix', filter.prefix)]), ...tags];
  if (parts.length === 0) return element('Prefix', prefix);
  return element('Filter', parts.length === 1 ? parts : [element('And', parts)]);
}

function timeElements(days: string, { days: after, date }: LifecycleExpiration): XmlNode[] {
  return after === '' ? [element('Date', date)] : [element(days, after)];
}

function expirationElement(name: string, days: string, expiration: LifecycleExpiration): XmlNode | undefined {
  if (expiration.days === '' && expiration.date === '') return undefined;
  return element(name, timeElements(days, expiration));
}

function transitionElement(name: string, days: string, transition: LifecycleTransition): XmlNode {
  return element(name, [...timeElements(days, transition), element('StorageClass', transition.storageClass)]);
}

/**
 * @param newId names rules that were given no id
 * @throws S3Error MalformedXML, InvalidArgument
 */
export function readLifecycleConfiguration(document: Bytes, newId: () => RawString): LifecycleRule[] {
  const given = childrenNamed(readXml(document, 'LifecycleConfiguration'), 'Rule');
  if (given.length === 0) throw malformed('there must be a Rule');
  if (given.length > MAX_RULES) throw s3Error('MalformedXML', `There may be at most ${MAX_RULES} rules`);
  const rules = given.map((each) => readRule(each, newId));
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw s3Error('InvalidArgument', 'Rule ID must be unique. Found same ID for more than one rule');
  }
  return rules;
}

function readRule(rule: XmlElement, newId: () => RawString): LifecycleRule {
  const id = childText(rule, 'ID') || newId();
  if (id.length > MAX_ID_LENGTH) throw s3Error('InvalidArgument', `ID length should not exceed ${MAX_ID_LENGTH}`);
  const status = neededText(rule, 'Status');
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed('Status must be Enabled or Disabled');
  const expiration = childNamed(rule, 'Expiration');
  const expireDeleteMarkers = (expiration && childText(expiration, 'ExpiredObjectDeleteMarker')) === 'true';
  const read: LifecycleRule = {
    id,
    status,
    ...readScope(rule),
    expireDeleteMarkers,
    expiration: expireDeleteMarkers ? NO_EXPIRATION : readExpiration(expiration, 'Days', true),
    noncurrentExpiration: readExpiration(childNamed(rule, 'NoncurrentVersionExpiration'), 'NoncurrentDays', false),
    multipartExpiration: readExpiration(
      childNamed(rule, 'AbortIncompleteMultipartUpload'),
      'DaysAfterInitiation',
      false,
    ),
    transitions: readTransitions(rule, 'Transition', 'Days', true),
    noncurrentTransitions: readTransitions(rule, 'NoncurrentVersionTransition', 'NoncurrentDays', false),
  };
  if (!doesAnything(read)) throw malformed('a Rule must do something');
  requireOneKindOfTime([read.expiration, ...read.transitions.values()]);
  if (expireDeleteMarkers && read.filter.tags.size > 0) throw malformed('delete markers have no tags');
  return read;
}

/** @throws S3Error InvalidArgument */
function requireOneKindOfTime(times: readonly LifecycleExpiration[]): void {
  if (!times.some(({ days }) => days !== '') || !times.some(({ date }) => date !== '')) return;
  throw s3Error('InvalidArgument', 'What a rule does with the current version is after days, or at dates: not both');
}

function doesAnything(rule: LifecycleRule): boolean {
  const times = [rule.expiration, rule.noncurrentExpiration, rule.multipartExpiration];
  const hasTime = times.some(({ days, date }) => days !== '' || date !== '');
  return hasTime || rule.expireDeleteMarkers || rule.transitions.size + rule.noncurrentTransitions.size > 0;
}

function readScope(rule: XmlElement): Pick<LifecycleRule, 'prefix' | 'filter'> {
  const prefix = childText(rule, 'Prefix');
  const filter = childNamed(rule, 'Filter');
  if (filter === undefined && prefix === undefined) throw malformed('a Rule needs Prefix or Filter');
  if (filter !== undefined && prefix !== undefined) throw malformed('Prefix and Filter exclude each other');
  const scope = filter && (childNamed(filter, 'And') ?? filter);
  const tags: Tags = new Map(
    (scope ? childrenNamed(scope, 'Tag') : []).map((tag) => [neededText(tag, 'Key'), neededText(tag, 'Value')]),
  );
  return { prefix: prefix ?? '', filter: { prefix: (scope && childText(scope, 'Prefix')) ?? '', tags } };
}

function readExpiration(given: XmlElement | undefined, daysName: string, takesDate: boolean): LifecycleExpiration {
  if (given === undefined) return NO_EXPIRATION;
  const days = childText(given, daysName)?.trim() ?? '';
  const date = (takesDate && childText(given, 'Date')?.trim()) || '';
  if ((days === '') === (date === '')) throw malformed(`${given.name} needs ${daysName}${takesDate ? ' or Date' : ''}`);
  if (days !== '' && !(/^\d+$/.test(days) && Number(days) > 0 && Number(days) <= MAX_DAYS)) {
    throw s3Error('InvalidArgument', `'${daysName}' must be a positive integer`);
  }
  if (date !== '') {
    const time = parseIsoDate(date.includes('T') ? date : `${date}T00:00:00Z`);
    if (!time) throw s3Error('InvalidArgument', `'Date' must be a date of ISO 8601`);
    if (time.sec % DAY_SEC !== 0 || time.nsec !== 0) throw s3Error('InvalidArgument', `'Date' must be at midnight GMT`);
  }
  return { days, date };
}

function readTransitions(
  rule: XmlElement,
  name: string,
  daysName: string,
  takesDate: boolean,
): Map<RawString, LifecycleTransition> {
  const transitions = childrenNamed(rule, name).map((given): LifecycleTransition => {
    const storageClass = neededText(given, 'StorageClass');
    // At once is allowed here: on day 0.
    const isAtOnce = childText(given, daysName)?.trim() === '0';
    return { ...(isAtOnce ? { days: '0', date: '' } : readExpiration(given, daysName, takesDate)), storageClass };
  });
  const classes = new Set(transitions.map(({ storageClass }) => storageClass));
  if (classes.size < transitions.length) throw malformed('there may be one transition to each storage class');
  return new Map(transitions.map((each) => [each.storageClass, each]));
}
