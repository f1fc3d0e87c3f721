/** Commands of radosgw-admin about roles. */
import type { CommandTable } from './admin.ts';

const policyCommands: CommandTable = {
  put: ({ roles }, options) => roles.putPolicy(options),
  get: ({ roles }, options) => roles.getPolicy(options),
  list: ({ roles }, options) => roles.listPolicies(options),
  delete: ({ roles }, options) => roles.removePolicy(options),
};

export const roleCommands: CommandTable = {
  'role create': ({ roles }, options) => roles.create(options),
  'role get': ({ roles }, options) => roles.get(options),
  'role list': ({ roles }, options) => roles.list(options),
  'role modify': ({ roles }, options) => roles.modify(options),
  'role delete': ({ roles }, options) => roles.remove(options),
  ...Object.fromEntries(
    Object.entries(policyCommands).flatMap(([verb, run]) => [
      [`role policy ${verb}`, run],
      [`role-policy ${verb}`, run],
    ]),
  ),
};
