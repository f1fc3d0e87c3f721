import { type Bytes, Decoder, EMPTY, Errno } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { NO_TIME } from '../real-time.ts';
import { decodeListReply, encodeCompleteInput, encodeListInput } from './bucket-codec.ts';
import { EntryFlag, ModifyOp, NO_META, ObjectCategory } from './dir-entry.ts';
import { NO_OBJECT_KEY } from './object-key.ts';
import {
  decodeOlhLogReply,
  encodeClearOlhInput,
  encodeLinkOlhInput,
  encodeOlhLogInput,
  encodeUnlinkInstanceInput,
  OlhOp,
} from './olh-codec.ts';
import { rgwClass } from './rgw.ts';

const OLH = { name: 'a', instance: '' };

class Index {
  readonly object = new MemoryObject();

  constructor() {
    this.call('bucket_init_index');
  }

  call(method: string, input: Bytes = EMPTY): number {
    return this.object.call(rgwClass, method, input).code;
  }

  /** Writes an object, without making it a version. */
  write(instance: string): void {
    const key = { name: 'a', instance };
    const meta = { ...NO_META, category: ObjectCategory.main, size: 1n, accountedSize: 1n };
    const rest = { tag: '', locator: '', logOp: false, bilogFlags: 0, zonesTrace: [], removeKeys: [] };
    const version = { pool: 1n, epoch: 0n };
    this.call('bucket_complete_op', encodeCompleteInput({ ...rest, op: ModifyOp.add, key, meta, version }));
  }

  link(instance: string, deleteMarker = false, olhTag = 'olh'): number {
    const key = { name: 'a', instance };
    const log = { logOp: false, bilogFlags: 0, zonesTrace: [] };
    const since = { unmodifiedSince: NO_TIME, highPrecision: false };
    return this.call(
      'bucket_link_olh',
      encodeLinkOlhInput({ ...log, ...since, key, olhTag, deleteMarker, opTag: 'op', meta: NO_META, olhEpoch: 0n }),
    );
  }

  put(instance: string): void {
    this.write(instance);
    this.link(instance);
  }

  unlink(instance: string): number {
    const key = { name: 'a', instance };
    const log = { logOp: false, bilogFlags: 0, zonesTrace: [] };
    return this.call(
      'bucket_unlink_instance',
      encodeUnlinkInstanceInput({ ...log, key, opTag: 'op', olhEpoch: 0n, olhTag: 'olh' }),
    );
  }

  /** Instances of versions as listings show them, the current one marked. */
  versions(): readonly string[] {
    const input = encodeListInput({ start: NO_OBJECT_KEY, max: 100, prefix: '', listVersions: true, delimiter: '' });
    const { output } = this.object.call(rgwClass, 'bucket_list', input);
    return [...decodeListReply(new Decoder(output)).entries.values()].map(
      ({ key, flags }) => key.instance + ((flags & EntryFlag.current) !== 0 ? '*' : ''),
    );
  }

  /** What the gateway has still to do. */
  log() {
    const { output } = this.object.call(
      rgwClass,
      'bucket_read_olh_log',
      encodeOlhLogInput({ olh: OLH, epoch: 0n, olhTag: 'olh' }),
    );
    return [...decodeOlhLogReply(new Decoder(output)).log.values()].flat().map(({ op, key }) => [op, key.instance]);
  }
}

test('the version that was linked last is the current one, and older ones are listed behind it', () => {
  const index = new Index();
  for (const instance of ['one', 'two', 'three']) index.put(instance);

  expect(index.versions()).toEqual(['three*', 'two', 'one']);
});

test('when the current version goes, the one before it is current, and the gateway is told', () => {
  const index = new Index();
  for (const instance of ['one', 'two']) index.put(instance);

  expect(index.unlink('two')).toBe(0);
  expect(index.versions()).toEqual(['one*']);
  expect(index.log().slice(2)).toEqual([
    [OlhOp.link, 'one'],
    [OlhOp.removeInstance, 'two'],
  ]);
});

test('an object from before versions becomes one, called null', () => {
  const index = new Index();
  index.write('');
  index.put('one');

  expect(index.versions()).toEqual(['one*', '']);
});

test('a delete marker hides the object, and a second one changes nothing', () => {
  const index = new Index();
  index.put('one');

  expect(index.link('marker', true)).toBe(0);
  expect(index.versions()).toEqual(['marker*', 'one']);
  expect(index.link('another', true)).toBe(Errno.ENOENT);
  index.unlink('marker');
  expect(index.versions()).toEqual(['one*']);
});

test('with the last version the head object is to go, then the name is as it was', () => {
  const index = new Index();
  index.put('one');

  index.unlink('one');
  expect(index.log().at(-2)).toEqual([OlhOp.unlink, '']);
  const trim = encodeOlhLogInput({ olh: OLH, epoch: 9n, olhTag: 'olh' });
  expect(index.call('bucket_trim_olh_log', trim)).toBe(0);
  expect(index.log()).toEqual([]);
  expect(index.call('bucket_clear_olh', encodeClearOlhInput({ olh: OLH, olhTag: 'other' }))).toBe(Errno.ECANCELED);
  expect(index.call('bucket_clear_olh', encodeClearOlhInput({ olh: OLH, olhTag: 'olh' }))).toBe(0);
  expect([...index.object.stored.omap.keys()]).toEqual(['\x801000_a\0ione']);
});

test('versions of another head object are refused', () => {
  const index = new Index();
  index.put('one');
  index.write('two');

  expect(index.link('two', false, 'other')).toBe(Errno.ECANCELED);
  expect(index.versions()).toEqual(['one*']);
});
