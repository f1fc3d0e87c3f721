"""
What users of boto3 do with a gateway. Prints {case: null or what went wrong} as JSON.

Arguments: endpoint, access key, secret key.
"""

import datetime
import hashlib
import io
import json
import sys
import traceback
import urllib.request

import boto3
import botocore.auth
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT, ACCESS, SECRET = sys.argv[1:4]
MIB = 1 << 20
BUCKET = "boto3"
ODD_KEYS = ["a b", "a+b", "a%20b", "a%b", "a//b", "/a", "a/../b", "./c", "ä€😀", "q?x=1&y='2'", "<&>\"", "end/"]


def client(secret=SECRET, **config):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=ACCESS,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}, **config),
    )


s3 = client()


def equal(got, expected):
    assert got == expected, f"{got!r} is not {expected!r}"


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        equal((error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]), (code, status))
    else:
        raise AssertionError(f"accepted, not {code}")


def data(length):
    return b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(-(-length // 32)))[:length]


def get(key, bucket=BUCKET, **more):
    return s3.get_object(Bucket=bucket, Key=key, **more)["Body"].read()


def an_object_with_headers_and_metadata():
    headers = {"ContentType": "text/plain", "ContentLanguage": "de", "CacheControl": "no-cache"}
    put = s3.put_object(Bucket=BUCKET, Key="x", Body=b"hello, world", Metadata={"colour": "blue"}, **headers)
    equal(put["ETag"], '"%s"' % hashlib.md5(b"hello, world").hexdigest())
    for found in (s3.get_object(Bucket=BUCKET, Key="x"), s3.head_object(Bucket=BUCKET, Key="x")):
        equal({name: found[name] for name in headers}, headers)
        equal((found["ContentLength"], found["Metadata"], found["ETag"]), (12, {"colour": "blue"}, put["ETag"]))
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    equal((get("empty"), s3.head_object(Bucket=BUCKET, Key="empty")["ContentLength"]), (b"", 0))
    s3.delete_object(Bucket=BUCKET, Key="x")
    refused("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key="x")


def ranges():
    s3.put_object(Bucket=BUCKET, Key="range", Body=b"0123456789")
    for asked, given in (("2-4", b"234"), ("7-", b"789"), ("-3", b"789"), ("8-100", b"89")):
        equal(get("range", Range=f"bytes={asked}"), given)
    equal(s3.get_object(Bucket=BUCKET, Key="range", Range="bytes=2-4")["ContentRange"], "bytes 2-4/10")
    refused("InvalidRange", 416, get, key="range", Range="bytes=10-")


def conditions():
    etag = s3.put_object(Bucket=BUCKET, Key="if", Body=b"x")["ETag"]
    past, future = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=h) for h in (-1, 1))
    equal(get("if", IfMatch=etag), b"x")
    equal(get("if", IfModifiedSince=past), b"x")
    refused("PreconditionFailed", 412, get, key="if", IfMatch='"other"')
    refused("PreconditionFailed", 412, get, key="if", IfUnmodifiedSince=past)
    refused("304", 304, get, key="if", IfNoneMatch=etag)
    refused("304", 304, get, key="if", IfModifiedSince=future)


def large_objects_are_the_same_byte_for_byte():
    whole = data(20 * MIB + 11)
    s3.put_object(Bucket=BUCKET, Key="large", Body=whole)
    assert get("large") == whole
    s3.upload_fileobj(io.BytesIO(whole), BUCKET, "managed")
    assert get("managed") == whole
    equal(get("managed", Range=f"bytes={8 * MIB - 2}-{8 * MIB + 1}"), whole[8 * MIB - 2 : 8 * MIB + 2])


def uploads_in_parts():
    upload = {"Bucket": BUCKET, "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload, Metadata={"a": "b"})["UploadId"]
    pieces = [data(5 * MIB), b"middle" * MIB, b"end"]
    etags = [s3.upload_part(**upload, PartNumber=i, Body=piece)["ETag"] for i, piece in enumerate(pieces, 1)]
    equal([u["Key"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]], ["parts"])
    pages = [s3.list_parts(**upload, MaxParts=2), s3.list_parts(**upload, PartNumberMarker=2)]
    equal([[p["Size"] for p in page["Parts"]] for page in pages], [[5 * MIB, 6 * MIB], [3]])
    parts = [{"PartNumber": i, "ETag": etag} for i, etag in enumerate(etags, 1)]
    refused("InvalidPart", 400, s3.complete_multipart_upload, **upload,
            MultipartUpload={"Parts": [parts[0], {"PartNumber": 2, "ETag": etags[0]}]})
    refused("InvalidPartOrder", 400, s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts[::-1]})
    done = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    assert done["ETag"].strip('"').endswith("-3"), done["ETag"]
    assert get("parts") == b"".join(pieces)
    equal(s3.head_object(Bucket=BUCKET, Key="parts")["Metadata"], {"a": "b"})
    refused("NoSuchUpload", 404, s3.list_parts, **upload)

    copied = {"Bucket": BUCKET, "Key": "copied-parts"}
    copied["UploadId"] = s3.create_multipart_upload(**copied)["UploadId"]
    source = {"CopySource": f"{BUCKET}/parts", "CopySourceRange": f"bytes=5-{5 * MIB + 4}"}
    part = s3.upload_part_copy(**copied, PartNumber=7, **source)["CopyPartResult"]
    s3.complete_multipart_upload(**copied, MultipartUpload={"Parts": [{"PartNumber": 7, "ETag": part["ETag"]}]})
    assert get("copied-parts") == b"".join(pieces)[5 : 5 * MIB + 5]
    given_up = {"Bucket": BUCKET, "Key": "given-up"}
    given_up["UploadId"] = s3.create_multipart_upload(**given_up)["UploadId"]
    s3.abort_multipart_upload(**given_up)
    refused("NoSuchUpload", 404, s3.upload_part, **given_up, PartNumber=1, Body=b"x")


def copies():
    s3.put_object(Bucket=BUCKET, Key="from ä+b", Body=b"x", ContentType="text/x", Metadata={"a": "1"})
    source = {"Bucket": BUCKET, "Key": "from ä+b"}
    s3.copy_object(Bucket=BUCKET, Key="to", CopySource=source)
    head = s3.head_object(Bucket=BUCKET, Key="to")
    equal((head["ContentType"], head["Metadata"]), ("text/x", {"a": "1"}))
    s3.copy_object(Bucket=BUCKET, Key="to", CopySource=source, MetadataDirective="REPLACE", Metadata={"b": "2"})
    equal(s3.head_object(Bucket=BUCKET, Key="to")["Metadata"], {"b": "2"})
    refused("NoSuchKey", 404, s3.copy_object, Bucket=BUCKET, Key="to", CopySource=f"{BUCKET}/nothing")
    refused("InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key="to", CopySource=f"{BUCKET}/to")


def listings_by_page_and_delimiter():
    s3.create_bucket(Bucket="listed")
    names = [f"{folder}/{i}" for folder in "abc" for i in range(4)] + ["top"]
    for name in names:
        s3.put_object(Bucket="listed", Key=name, Body=name.encode())
    for operation in ("list_objects", "list_objects_v2"):
        pages = list(s3.get_paginator(operation).paginate(Bucket="listed", PaginationConfig={"PageSize": 5}))
        equal([len(page["Contents"]) for page in pages], [5, 5, 3])
        equal([each["Key"] for page in pages for each in page["Contents"]], names)
        folded = list(s3.get_paginator(operation).paginate(Bucket="listed", Delimiter="/",
                                                           PaginationConfig={"PageSize": 2}))
        equal([p["Prefix"] for page in folded for p in page.get("CommonPrefixes", [])], ["a/", "b/", "c/"])
        equal([p["Key"] for page in folded for p in page.get("Contents", [])], ["top"])
        equal([p["Key"] for p in getattr(s3, operation)(Bucket="listed", Prefix="b/")["Contents"]], names[4:8])
    refused("BucketNotEmpty", 409, s3.delete_bucket, Bucket="listed")
    gone = s3.delete_objects(Bucket="listed", Delete={"Objects": [{"Key": name} for name in [*names, "no such"]]})
    equal(len(gone["Deleted"]), len(names) + 1)
    assert "Contents" not in s3.list_objects(Bucket="listed")
    s3.delete_bucket(Bucket="listed")
    refused("NoSuchBucket", 404, s3.list_objects, Bucket="listed")


def odd_keys():
    s3.create_bucket(Bucket="odd")
    for key in ODD_KEYS:
        s3.put_object(Bucket="odd", Key=key, Body=key.encode())
    for key in ODD_KEYS:
        equal(get(key, "odd"), key.encode())
        s3.copy_object(Bucket=BUCKET, Key=f"copy of {key}", CopySource={"Bucket": "odd", "Key": key})
        equal(get(f"copy of {key}"), key.encode())
    listed = s3.list_objects_v2(Bucket="odd")["Contents"]
    equal([each["Key"] for each in listed], sorted(ODD_KEYS, key=lambda key: key.encode()))
    s3.delete_objects(Bucket="odd", Delete={"Objects": [{"Key": key} for key in ODD_KEYS]})
    s3.delete_bucket(Bucket="odd")


def presigned_urls():
    for version in ("s3v4", "s3"):
        signer = client(signature_version=version)
        where = {"Bucket": BUCKET, "Key": f"signed ä {version}"}
        put = urllib.request.Request(signer.generate_presigned_url("put_object", where), b"by URL", method="PUT",
                                     headers={"Content-Type": ""})
        equal(urllib.request.urlopen(put).status, 200)
        url = signer.generate_presigned_url("get_object", where)
        equal(urllib.request.urlopen(url).read(), b"by URL")
        try:
            urllib.request.urlopen(url.replace("signed", "resigned"))
        except urllib.error.HTTPError as error:
            equal(error.code, 403)
        else:
            raise AssertionError("accepted")


def access_control_lists():
    s3.put_object(Bucket=BUCKET, Key="public", Body=b"for all", ACL="public-read")
    equal(urllib.request.urlopen(f"{ENDPOINT}/{BUCKET}/public").read(), b"for all")
    grants = s3.get_object_acl(Bucket=BUCKET, Key="public")["Grants"]
    equal(sorted(grant["Permission"] for grant in grants), ["FULL_CONTROL", "READ"])
    s3.put_object_acl(Bucket=BUCKET, Key="public", ACL="private")
    try:
        urllib.request.urlopen(f"{ENDPOINT}/{BUCKET}/public")
    except urllib.error.HTTPError as error:
        equal(error.code, 403)
    else:
        raise AssertionError("accepted")


def who_is_not_who_they_say():
    refused("SignatureDoesNotMatch", 403, client("not the secret").list_buckets)
    stranger = client()
    stranger._request_signer._credentials.access_key = "nobody"
    refused("InvalidAccessKeyId", 403, stranger.list_buckets)


def a_clock_that_is_an_hour_late():
    class Late(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return datetime.datetime.utcnow() - datetime.timedelta(hours=1)

    class Module:
        datetime = Late

    kept, botocore.auth.datetime = botocore.auth.datetime, Module
    try:
        refused("RequestTimeTooSkewed", 403, s3.list_buckets)
    finally:
        botocore.auth.datetime = kept


CASES = [
    an_object_with_headers_and_metadata,
    ranges,
    conditions,
    large_objects_are_the_same_byte_for_byte,
    uploads_in_parts,
    copies,
    listings_by_page_and_delimiter,
    odd_keys,
    presigned_urls,
    access_control_lists,
    who_is_not_who_they_say,
    a_clock_that_is_an_hour_late,
]

s3.create_bucket(Bucket=BUCKET)
outcomes = {}
for case in CASES:
    try:
        case()
        outcomes[case.__name__] = None
    except Exception:
        outcomes[case.__name__] = traceback.format_exc()
json.dump(outcomes, sys.stdout)
