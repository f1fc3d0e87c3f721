/** Which operation a form asks for (the op_post of RGWHandler_REST_IAM, RGWHandler_REST_STS, RGWHandler_REST_PSTopic_AWS). */
import type { Operation } from '../s3/operations/operation.ts';
import { s3Error } from '../s3/s3-errors.ts';
import type { S3Request } from '../s3/s3-request.ts';
import { formText } from './action-form.ts';
import {
  createRole,
  deleteRole,
  deleteRolePolicy,
  getRole,
  getRolePolicy,
  listRolePolicies,
  listRoles,
  listRoleTags,
  putRolePolicy,
  tagRole,
  untagRole,
  updateAssumeRolePolicy,
} from './roles.ts';
import { assumeRole, getSessionToken, withoutProviders } from './sts.ts';
import { createTopic, deleteTopic, getTopic, getTopicAttributes, listTopics } from './topics.ts';
import { deleteUserPolicy, getUserPolicy, listUserPolicies, putUserPolicy } from './user-policies.ts';

/** By what `Action` says. */
export const ACTIONS: ReadonlyMap<string, Operation> = new Map(
  [
    ...[putUserPolicy, getUserPolicy, listUserPolicies, deleteUserPolicy],
    ...[createTopic, getTopic, getTopicAttributes, listTopics, deleteTopic],
    ...[createRole, getRole, listRoles, deleteRole, updateAssumeRolePolicy],
    ...[putRolePolicy, getRolePolicy, listRolePolicies, deleteRolePolicy],
    ...[tagRole, listRoleTags, untagRole],
    ...[assumeRole, getSessionToken, ...withoutProviders],
  ].map((operation) => [operation.name, operation]),
);

/** @throws S3Error MethodNotAllowed, as radosgw answers what it does not know */
export function actionOf(request: S3Request): Operation {
  const name = formText(request, 'Action');
  const operation = ACTIONS.get(name);
  if (operation) return operation;
  throw s3Error('MethodNotAllowed', name === '' ? 'The form names no Action' : `There is no Action ${name}`);
}
