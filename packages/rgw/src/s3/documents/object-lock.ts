/** What keeps versions from being removed: the documents of buckets' defaults, retentions and legal holds (rgw_object_lock.cc). */
import type { Bytes, UTime } from '@spirula/encoding';
import type { DefaultRetention, ObjectLock, ObjectRetention } from '../../formats/object-lock.ts';
import { formatIsoDate, parseIsoDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import { childNamed, childText, malformed, neededText, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';

const MODES = ['GOVERNANCE', 'COMPLIANCE'];
/** As radosgw keeps them, in 32 bits. */
const MAX_PERIOD = 2 ** 31 - 1;

export function objectLockConfiguration({ rule }: ObjectLock): Bytes {
  return xmlDocument(
    s3Root('ObjectLockConfiguration', [
      element('ObjectLockEnabled', 'Enabled'),
      rule &&
        element('Rule', [
          element('DefaultRetention', [
            element('Mode', rule.mode),
            rule.days > 0 ? element('Days', rule.days) : element('Years', rule.years),
          ]),
        ]),
    ]),
  );
}

/** @throws S3Error MalformedXML, InvalidRetentionPeriod */
export function readObjectLockConfiguration(document: Bytes): ObjectLock {
  const root = readXml(document, 'ObjectLockConfiguration');
  if (childText(root, 'ObjectLockEnabled') !== 'Enabled') throw malformed('ObjectLockEnabled must be Enabled');
  const rule = childNamed(root, 'Rule');
  return { enabled: true, rule: rule && readDefaultRetention(rule) };
}

function readDefaultRetention(rule: XmlElement): DefaultRetention {
  const retention = childNamed(rule, 'DefaultRetention');
  if (retention === undefined) throw malformed('a Rule needs DefaultRetention');
  const [days, years] = [childText(retention, 'Days'), childText(retention, 'Years')];
  if ((days === undefined) === (years === undefined)) throw malformed('give Days or Years, not both');
  return { mode: readMode(retention), days: readPeriod(days), years: readPeriod(years) };
}

function readMode(retention: XmlElement): string {
  const mode = neededText(retention, 'Mode');
  if (!MODES.includes(mode)) throw malformed(`Mode is ${MODES.join(' or ')}`);
  return mode;
}

function readPeriod(text: string | undefined): number {
  if (text === undefined) return 0;
  const period = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (Number.isNaN(period)) throw malformed('a period is a number');
  if (period <= 0 || period > MAX_PERIOD) throw s3Error('InvalidRetentionPeriod');
  return period;
}

export function retention({ mode, retainUntil }: ObjectRetention): Bytes {
  return xmlDocument(
    s3Root('Retention', [element('Mode', mode), element('RetainUntilDate', formatIsoDate(retainUntil))]),
  );
}

/** @throws S3Error MalformedXML */
export function readRetention(document: Bytes): ObjectRetention {
  const root = readXml(document, 'Retention');
  const retainUntil = parseIsoDate(neededText(root, 'RetainUntilDate'));
  if (!retainUntil) throw malformed('RetainUntilDate is a date of ISO 8601');
  return { mode: readMode(root), retainUntil };
}

/** What `x-amz-object-lock-mode` and `-retain-until-date` say. @throws S3Error InvalidArgument */
export function retentionOfHeaders(mode: string | undefined, date: string | undefined): ObjectRetention | undefined {
  if (mode === undefined && date === undefined) return undefined;
  if (mode === undefined || date === undefined) {
    throw s3Error('InvalidArgument', 'x-amz-object-lock-mode and x-amz-object-lock-retain-until-date go together');
  }
  if (!MODES.includes(mode)) throw s3Error('InvalidArgument', `x-amz-object-lock-mode is ${MODES.join(' or ')}`);
  const retainUntil: UTime | undefined = parseIsoDate(date);
  if (!retainUntil) throw s3Error('InvalidArgument', 'x-amz-object-lock-retain-until-date is a date of ISO 8601');
  return { mode, retainUntil };
}

export function legalHold(status: string): Bytes {
  return xmlDocument(s3Root('LegalHold', [element('Status', status)]));
}

/** @throws S3Error MalformedXML */
export function readLegalHold(document: Bytes): 'ON' | 'OFF' {
  const status = neededText(readXml(document, 'LegalHold'), 'Status');
  if (status !== 'ON' && status !== 'OFF') throw malformed('Status is ON or OFF');
  return status;
}
