/** What came of Ceph's own tests of S3 (`s3-tests`), run by hand: docs/differences.md shows it. */

interface SuiteResult {
  readonly tests: string;
  /** How many there are. */
  readonly of: number;
  /** How many radosgw 16.2.15 passed, and how many this gateway. */
  readonly radosgw: number;
  readonly here: number;
}

export const s3Tests: readonly SuiteResult[] = [
  {
    tests: 'the branch for Pacific (2024-02-20): `test_s3.py` with lifecycles, `test_headers.py`, `test_utils.py`',
    of: 539,
    radosgw: 512,
    here: 513,
  },
  {
    tests: 'the newest (2026-05-07): `test_iam.py` and `test_sts.py` without accounts and web identity',
    of: 36,
    radosgw: 29,
    here: 31,
  },
  {
    tests:
      'the newest: what else `test_s3.py` has by then, without logs of access, clouds, accounts and lifecycles; each way to encrypt counts',
    of: 216,
    radosgw: 34,
    here: 207,
  },
];

/** Tests that radosgw passes and this gateway does not, with the reason. */
export const s3TestsNotPassed: readonly { readonly test: string; readonly reason: string }[] = [
  {
    test: 'test_put_object_ifmatch_nonexisted_failed',
    reason: '`If-Match` where there is no object is answered with 404, as by AWS, and as the newest suite asks',
  },
  {
    test: 'test_get_default_public_block',
    reason: 'a bucket without a public access block says so (404), as AWS does, and as the newest suite asks',
  },
  {
    test: 'test_bucket_policy_put_obj_enc',
    reason: 'a request with a key of its own and one of the server is refused, as by AWS, and as the newest suite asks',
  },
  {
    test: 'test_allow_tagging_actions_in_user_policy',
    reason:
      '`PutBucketTagging` is answered with 204, as by AWS, and as `test_set_bucket_tagging` of the same suite asks',
  },
];
