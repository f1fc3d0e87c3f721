import { Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { findOption } from './options.ts';
import { parseValue } from './parse-value.ts';

function parse(name: string, text: string) {
  return parseValue(name, findOption(name)!, text);
}

// Left: an option and what it is set to; right: what `ceph config set` of 16.2.15 keeps.
test.each([
  ['osd_heartbeat_grace', '25K', '25000'],
  ['osd_memory_target', '2Gi', '2147483648'],
  ['osd_memory_target', '2GB', '2147483648'],
  ['mon_lease', '7', '7.000000'],
  ['osd_fast_shutdown', '0', 'false'],
  ['osd_fast_shutdown', 'TRUE', 'true'],
  ['client_mount_timeout', '1hours 2minutes', '3720'],
  ['debug_ms', '1', '1/1'],
  ['debug_ms', '1/x', '1/1'],
  ['public_addr', '10.0.0.1', 'v2:10.0.0.1:0/0'],
])('%s takes %s', (name, text, kept) => {
  expect(parse(name, text)).toMatchObject({ ok: true, text: kept });
});

// Right: what `ceph config set` of 16.2.15 says.
test.each([
  ['osd_heartbeat_grace', 'abc', 'strict_si_cast: unit prefix not recognized'],
  ['osd_max_backfills', '-1', 'strict_sistrtoll: value should not be negative'],
  ['osd_memory_target', '1.5G', 'strict_iecstrtoll: illegal prefix (length > 2)'],
  ['osd_memory_target', '100', "Value '100' is below minimum 939524096"],
  ['osd_scrub_begin_hour', '99', "Value '99' exceeds maximum 23"],
  ['osd_fast_shutdown', 'maybe', "Expected option value to be integer, got 'maybe'"],
  ['mon_lease', 'x', "strict_strtod: expected double, got: 'x'"],
  ['mon_lease', '1x', "strict_strtod: garbage at end of string. got: '1x'"],
  ['osd_pool_default_pg_autoscale_mode', 'bad', "'bad' is not one of the permitted values: off, warn, on"],
  ['fsid', 'x', ''],
  ['public_addr', '300.0.0.1', ''],
  ['client_mount_timeout', '5m', ''],
])('%s refuses %s', (name, text, problem) => {
  expect(parse(name, text)).toEqual({ ok: false, code: Errno.EINVAL, problem });
});

test('a log level is at most 99', () => {
  expect(parse('debug_osd', '100')).toMatchObject({ ok: false, code: Errno.ERANGE });
});
