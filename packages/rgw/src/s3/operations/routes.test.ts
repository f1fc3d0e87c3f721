import { EMPTY } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { S3Error } from '../s3-error.ts';
import { parseS3Request } from '../s3-request.ts';
import { operationOf } from './routes.ts';

async function* nothing() {
  yield EMPTY;
}

/** The operation's name, or the error's code. */
function routed(method: string, target: string, headers: Record<string, string> = {}): string {
  const http = {
    method,
    target,
    headers: new Map(Object.entries(headers)),
    body: nothing(),
    secure: false,
    remoteAddr: '127.0.0.1',
  };
  try {
    return operationOf(parseS3Request(http, { dnsNames: [] })).name;
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

test.each([
  ['GET', '/', 'ListBuckets'],
  ['GET', '/b', 'ListObjects'],
  ['GET', '/b?list-type=2&x-id=ListObjectsV2', 'ListObjectsV2'],
  ['GET', '/b?versions', 'ListObjectVersions'],
  ['PUT', '/b?x-id=CreateBucket', 'CreateBucket'],
  ['DELETE', '/b', 'DeleteBucket'],
  ['DELETE', '/b/k?versionId=null', 'DeleteObject'],
  ['GET', '/b/k?partNumber=2', 'GetObject'],
  ['PUT', '/b/k?partNumber=2&uploadId=x', 'UploadPart'],
  ['POST', '/b/k?uploads', 'CreateMultipartUpload'],
  ['PATCH', '/b', 'MethodNotAllowed'],
])('%s %s is %s', (method, target, name) => {
  expect(routed(method, target)).toBe(name);
});

test('copies are known by their header', () => {
  const headers = { 'x-amz-copy-source': 'b/source' };

  expect(routed('PUT', '/b/k', headers)).toBe('CopyObject');
  expect(routed('PUT', '/b/k?partNumber=1&uploadId=x', headers)).toBe('UploadPartCopy');
});

test.each([
  ...['abac', 'accelerate', 'analytics', 'intelligent-tiering', 'inventory', 'metadataConfiguration', 'metadataTable'],
  ...['metrics', 'replication', 'session', 'torrent', 'select', 'restore', 'annotation'],
  ...['renameObject', 'metadataAnnotationTable', 'metadataInventoryTable', 'metadataJournalTable'],
])('what nobody serves here (%s) makes, changes and removes nothing', (name) => {
  for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
    for (const path of ['/b', '/b/k']) expect(routed(method, `${path}?${name}&id=1`)).toBe('NotImplemented');
  }
});
