/** Text to the value of an option (Option::parse_value). */
import { Errno, parseUuid } from '@spirula/encoding';
import { formatValue, type Option, type OptionType, type OptionValue } from './option.ts';
import { type Parsed, parseBoolean, parseFloating, parseIec, parseSi, parseSpan } from './parse-number.ts';

export type ParsedValue =
  | {
      readonly ok: true;
      readonly value: OptionValue;
      /** As it is kept and shown: numbers in full, floats with six digits. */
      readonly text: string;
    }
  /** `problem` is Ceph's text, empty where it has none. `code` is a negative errno. */
  | { readonly ok: false; readonly code: number; readonly problem: string };

export function parseValue(name: string, option: Option, text: string): ParsedValue {
  if (name.startsWith('debug_')) return parseDebugLevel(text);
  const parsed = parse(option.type, text);
  if (!parsed.ok) return refuse(parsed.problem);
  const { value } = parsed;
  const show = (each: OptionValue) => formatValue(option.type, each);
  const { min, max, values } = option;
  if (typeof value === 'number') {
    if (min !== undefined && value < min) return refuse(`Value '${show(value)}' is below minimum ${show(min)}`);
    if (max !== undefined && value > max) return refuse(`Value '${show(value)}' exceeds maximum ${show(max)}`);
  }
  if (values && !values.includes(String(value))) {
    return refuse(`'${value}' is not one of the permitted values: ${values.join(', ')}`);
  }
  return { ok: true, value, text: show(value) };
}

function parse(type: OptionType, text: string): Parsed<OptionValue> {
  switch (type) {
    case 'str':
      return { ok: true, value: text };
    case 'int':
    case 'uint':
      return parseSi(text, type === 'int');
    case 'size':
      return parseIec(text);
    case 'float':
      return parseFloating(text);
    case 'bool':
      return parseBoolean(text);
    case 'secs':
      return parseSpan(text);
    case 'uuid':
      return parseUuid(text) === undefined ? { ok: false, problem: '' } : { ok: true, value: text };
    case 'addr':
      return parseAddress(text);
  }
}

/** As it is shown in full: `v2:1.2.3.4:0/0`. */
function parseAddress(text: string): Parsed<string> {
  if (text === '-') return { ok: true, value: text };
  const [, kind = 'v2', host = '', port = '0', nonce = '0'] =
    /^(?:(v1|v2|any):)?(\[[0-9a-fA-F:.]+\]|[0-9.]+)(?::(\d+))?(?:\/(\d+))?$/.exec(text) ?? [];
  if (!isIpAddress(host.replaceAll(/[[\]]/g, '')) || Number(port) > 65_535) return { ok: false, problem: '' };
  return { ok: true, value: `${kind}:${host}:${port}/${nonce}` };
}

const LEVEL_RANGE = 'value must be in range [0, 99]';

/** `N` or `N/M`: what goes to the log, and what is kept in memory. */
function parseDebugLevel(text: string): ParsedValue {
  const match = /^\s*([+-]?\d+)(?:\/\s*([+-]?\d+))?/.exec(text);
  if (!match) return refuse('value must take the form N or N/M, where N and M are integers');
  const outside = [match[1], match[2]].some(
    (level) => level !== undefined && (Number(level) < 0 || Number(level) > 99),
  );
  if (outside) return { ok: false, code: Errno.ERANGE, problem: LEVEL_RANGE };
  const normal = match[2] === undefined ? `${Number(match[1])}/${Number(match[1])}` : text;
  return { ok: true, value: normal, text: normal };
}

function isIpAddress(host: string): boolean {
  if (host.includes(':')) return /^[0-9a-fA-F:.]*::?[0-9a-fA-F:.]*$/.test(host);
  const parts = host.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}

function refuse(problem: string): ParsedValue {
  return { ok: false, code: Errno.EINVAL, problem };
}
