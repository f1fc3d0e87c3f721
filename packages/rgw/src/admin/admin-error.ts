/** A refusal of an administrator's command: what radosgw-admin says on stderr, and its exit code (rgw_user.cc, rgw_admin.cc). */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  /** Positive: an errno, or one of `AdminCode`. The exit code is its lowest byte. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Errors that are not errnos (ERR_*, rgw_common.h), and those that are. */
export const AdminCode = {
  ENOENT: 2,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOTEMPTY: 39,
  ECANCELED: 125,
  noSuchBucket: 2002,
  invalidAccessKey: 2028,
  emailExists: 2032,
  keyExists: 2033,
  invalidCap: 2036,
  noSuchSubuser: 2043,
  deleteConflict: 2206,
} as const;
