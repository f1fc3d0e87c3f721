import { Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { DaemonConfig } from './daemon-config.ts';
import { makeConfig } from './options.ts';

const META = { cluster: 'ceph', type: 'osd', id: '3', host: 'h' };

test('an override counts before the file, the file before the monitors, and each gives way when it is taken back', () => {
  const values = makeConfig({ osd_heartbeat_grace: 15 });
  const config = new DaemonConfig(values, META);

  config.applyMon(
    new Map([
      ['osd_heartbeat_grace', '10'],
      ['osd_heartbeat_interval', '2'],
    ]),
  );
  expect([values.osd_heartbeat_grace, values.osd_heartbeat_interval]).toEqual([15, 2]);
  expect(config.set('osd_heartbeat_grace', '5')).toEqual({ ok: true });
  expect(values.osd_heartbeat_grace).toBe(5);
  expect(config.show().find(({ name }) => name === 'osd_heartbeat_grace')).toEqual({
    name: 'osd_heartbeat_grace',
    value: '5',
    source: 'override',
    overrides: [
      { source: 'file', value: '15' },
      { source: 'mon', value: '10' },
      { source: 'default', value: '20' },
    ],
    ignored: undefined,
  });
  config.unset('osd_heartbeat_grace');
  config.applyMon(new Map());
  expect([values.osd_heartbeat_grace, values.osd_heartbeat_interval]).toEqual([15, 6]);
});

test('what only counts with the next start is taken from the monitors once, and then no more', () => {
  const config = new DaemonConfig(makeConfig(), META);

  config.applyMon(new Map([['osd_objectstore', 'memstore']]));
  expect(config.get('osd_objectstore')).toBe('memstore');
  config.applyMon(new Map([['osd_objectstore', 'kstore']]));
  expect(config.show()).toContainEqual(expect.objectContaining({ name: 'osd_objectstore', ignored: 'kstore' }));
  expect(config.set('osd_objectstore', 'bluestore')).toMatchObject({ ok: false, code: Errno.EPERM });
});

test('what does not parse changes nothing', () => {
  const values = makeConfig();
  const config = new DaemonConfig(values, META);

  config.applyMon(
    new Map([
      ['osd_max_backfills', 'many'],
      ['nosuch', '1'],
    ]),
  );
  expect(values.osd_max_backfills).toBe(1);
  expect(config.set('osd_max_backfills', 'many')).toMatchObject({ ok: false, code: Errno.EINVAL });
  expect(config.set('nosuch', '1')).toMatchObject({ ok: false, code: Errno.ENOENT });
});

test('metavariables and other options are filled in where values are shown', () => {
  const config = new DaemonConfig(
    makeConfig({ run_dir: '/run/$host', admin_socket: '$run_dir/$cluster-$name.asok' }),
    META,
  );

  expect(config.get('admin_socket')).toBe('/run/h/ceph-osd.3.asok');
  expect(config.diff()['admin_socket']).toMatchObject({
    file: '$run_dir/$cluster-$name.asok',
    final: '/run/h/ceph-osd.3.asok',
  });
});
