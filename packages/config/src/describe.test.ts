import { expect, test } from 'vitest';
import { dumpOption } from './describe.ts';
import { findOption, NO_EFFECT } from './options.ts';

const described = (name: string) => dumpOption(name, findOption(name)!);

test('options of librbd have their effect in clients; those of the daemon that mirrors images have none', () => {
  expect(described('rbd_cache')).toMatchObject({ services: ['rbd'], default: true, long_desc: '' });
  expect(described('rbd_mirror_leader_heartbeat_interval')).toMatchObject({ long_desc: NO_EFFECT, min: 1 });
});

test('what librbd itself sets when options of a pool change is an option', () => {
  expect(described('rbd_config_pool_override_update_timestamp')).toMatchObject({ type: 'uint', level: 'dev' });
});
