/** Ceph's options, as far as they are known here, under Ceph's names and with Ceph's defaults (16.2). */
import { CLIENT_OPTIONS } from './client-options.ts';
import { COMMON_OPTIONS } from './common-options.ts';
import { LIBRBD_OPTIONS } from './librbd-options.ts';
import { MGR_OPTIONS } from './mgr-options.ts';
import { MON_OPTIONS } from './mon-options.ts';
import type { Option, OptionValue } from './option.ts';
import { OSD_OPTIONS } from './osd-options.ts';
import { RGW_OPTIONS } from './rgw-options.ts';
import { UNREAD_COMMON_OPTIONS } from './unread-common-options.ts';
import { UNREAD_MON_OPTIONS } from './unread-mon-options.ts';
import { UNREAD_OSD_OPTIONS } from './unread-osd-options.ts';
import { UNREAD_OTHER_OPTIONS } from './unread-other-options.ts';
import { UNREAD_RBD_MIRROR_OPTIONS } from './unread-rbd-mirror-options.ts';

/** What the code reads. A name that nothing reads belongs in an `unread` table: those are shown as having no effect. */
const READ = { ...COMMON_OPTIONS, ...MON_OPTIONS, ...OSD_OPTIONS, ...MGR_OPTIONS, ...CLIENT_OPTIONS, ...RGW_OPTIONS };
const UNREAD = {
  ...UNREAD_COMMON_OPTIONS,
  ...UNREAD_MON_OPTIONS,
  ...UNREAD_OSD_OPTIONS,
  ...UNREAD_OTHER_OPTIONS,
  ...UNREAD_RBD_MIRROR_OPTIONS,
};

/** The values in force for one daemon or client. They change while it runs: read them where they are used. */
export type Config = { readonly [Name in keyof typeof READ]: (typeof READ)[Name]['default'] };

const byName: ReadonlyMap<string, Option> = new Map(
  Object.entries<Option>({ ...READ, ...LIBRBD_OPTIONS, ...UNREAD }).sort(([a], [b]) => (a < b ? -1 : 1)),
);

/** Every option known, by name, in the order of names. */
export function allOptions(): ReadonlyMap<string, Option> {
  return byName;
}

export function findOption(name: string): Option | undefined {
  return byName.get(name);
}

/** Whether something reads it, here or in clients. What is not read can be set and looked at, and has no effect. */
export function isRead(name: string): boolean {
  return Object.hasOwn(READ, name) || Object.hasOwn(LIBRBD_OPTIONS, name);
}

/** What is said of options that are not read, where Ceph has its longer description. */
export const NO_EFFECT = 'Nothing here reads this option: it can be set, and has no effect.';

/** The default of an option, for a daemon or for a client. */
export function defaultOf(option: Option, isDaemon: boolean): OptionValue {
  return isDaemon ? (option.daemonDefault ?? option.default) : option.default;
}

/** The defaults with some options replaced; also such that nothing reads. A copy of its own each time. */
export function makeConfig(overrides: Partial<Config> | Readonly<Record<string, OptionValue>> = {}): Config {
  const defaults = Object.entries<Option>(READ).map(([name, option]) => [name, option.default]);
  return { ...(Object.fromEntries(defaults) as Config), ...overrides };
}
