/** Commands of radosgw-admin about roles. */
import type { CommandTable } from './admin.ts';

export const roleCommands: CommandTable = {
  'role create': ({ roles }, options) => roles.create(options),
  'role get': ({ roles }, options) => roles.get(options),
  'role list': ({ roles }, options) => roles.list(options),
  'role modify': ({ roles }, options) => roles.modify(options),
  'role delete': ({ roles }, options) => roles.remove(options),
  'role policy put': ({ roles }, options) => roles.putPolicy(options),
  'role policy get': ({ roles }, options) => roles.getPolicy(options),
  'role policy list': ({ roles }, options) => roles.listPolicies(options),
  'role policy delete': ({ roles }, options) => roles.removePolicy(options),
};
