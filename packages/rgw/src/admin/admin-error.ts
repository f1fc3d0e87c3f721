/** A refusal of an administrator's command: what radosgw-admin says on stderr, and its exit code (rgw_user.cc, rgw_admin.cc). */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  /** Positive: an errno, or one of `AdminCode`. The exit code is its lowest byte. */
  readonly code: number;

  /** More for people, where radosgw-admin says no more than `message`. */
  readonly detail: string;
  /** What it prints on stdout all the same. */
  readonly said: string;

  constructor(code: number, message: string, detail = '', said = '') {
    super(message);
    this.code = code;
    this.detail = detail;
    this.said = said;
  }
}

/** Errors that are not errnos (ERR_*, rgw_common.h), and those that are. */
export const AdminCode = {
  ENOENT: 2,
  EIO: 5,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENOTEMPTY: 39,
  EOPNOTSUPP: 95,
  ECANCELED: 125,
  noSuchBucket: 2002,
  invalidAccessKey: 2028,
  emailExists: 2032,
  keyExists: 2033,
  invalidCap: 2036,
  noSuchSubuser: 2043,
  deleteConflict: 2206,
} as const;
