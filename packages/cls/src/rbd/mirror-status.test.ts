import { AddrType, type Bytes, Decoder, Errno, type RawString } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { MemoryObject } from '../memory-object.test-support.ts';
import { encodeWith } from '../stored-key.ts';
import { decodeStatusOrigin, encodeMirrorImage, encodeMirrorPeer, PeerDirection } from './mirror-codec.ts';
import { rbdClass } from './rbd.ts';

const [UNKNOWN, ERROR, REPLAYING] = [0, 1, 4];

class Mirroring {
  readonly object = new MemoryObject();

  call(method: string, input?: Bytes): { code: number; output: Bytes } {
    return this.object.call(rbdClass, method, input);
  }

  addImage(id: RawString, globalId: RawString): this {
    const input = encodeWith((encoder) => {
      encoder.rawString(id);
      encodeMirrorImage(encoder, { globalId, state: 1, mode: 0 });
    });
    expect(this.call('mirror_image_set', input).code).toBe(0);
    return this;
  }

  /** As client `num` tells it; `site` '' is this one. */
  tell(num: number, globalId: RawString, state: number, site: RawString = ''): this {
    this.object.as(num);
    const input = encodeWith((encoder) => {
      encoder.rawString(globalId);
      encoder.struct(2, 2, () => {
        encoder.rawString(site);
        encoder.u8(state);
        encoder.rawString('');
        encoder.u64(0);
        encoder.bool(false);
      });
    });
    expect(this.call('mirror_image_status_set', input).code).toBe(0);
    return this;
  }

  /** Only these clients watch, by whatever protocol they came. */
  watchedBy(...nums: readonly number[]): this {
    this.object.watching = nums.map((num) => {
      const { type, addr } = this.object.as(num).origin;
      const other = { ...addr, type: AddrType.v1 };
      return { type, num: BigInt(num), addr: other, cookie: BigInt(num), timeoutSeconds: 30 };
    });
    return this;
  }

  summary(...peers: readonly { direction: number; mirrorUuid: RawString }[]): ReadonlyMap<number, number> {
    const input = encodeWith((encoder) =>
      encoder.list(peers, ({ direction, mirrorUuid }) =>
        encodeMirrorPeer(encoder, {
          uuid: mirrorUuid,
          direction,
          siteName: mirrorUuid,
          clientName: 'client.a',
          mirrorUuid,
          lastSeen: { sec: 0, nsec: 0 },
        }),
      ),
    );
    const decoder = new Decoder(this.call('mirror_image_status_get_summary', input).output);
    return decoder.map(
      'counts',
      5,
      () => decoder.u8('state'),
      () => decoder.u32('count'),
    );
  }
}

const name = (text: RawString) => encodeWith((encoder) => encoder.rawString(text));

test('an image is where somebody who still watches has told of it', () => {
  const mirroring = new Mirroring().addImage('i1', 'g1').addImage('i2', 'g2');
  mirroring.tell(5, 'g1', REPLAYING).tell(6, 'g2', REPLAYING).watchedBy(5);

  const { code, output } = mirroring.call('mirror_image_instance_get', name('g1'));
  expect([code, new Decoder(output).u8('type')]).toEqual([0, 8]);
  expect(mirroring.call('mirror_image_instance_get', name('g2')).code).toBe(Errno.ESTALE);
  expect(mirroring.call('mirror_image_instance_get', name('g3')).code).toBe(Errno.ENOENT);
  const list = encodeWith((encoder) => {
    encoder.rawString('');
    encoder.u64(10);
  });
  const listed = new Decoder(mirroring.call('mirror_image_instance_list', list).output);
  expect([listed.u32('count'), listed.rawString('id')]).toEqual([1, 'i1']);
});

test('what was told by who no longer watches is removed, here and of other sites', () => {
  const mirroring = new Mirroring().addImage('i1', 'g1').addImage('i2', 'g2');
  mirroring.tell(5, 'g1', REPLAYING).tell(6, 'g1', REPLAYING, 'far').tell(6, 'g2', REPLAYING).watchedBy(5);

  expect(mirroring.call('mirror_image_status_remove_down').code).toBe(0);

  const left = [...mirroring.object.stored.omap].filter(([key]) => key.includes('status_global_'));
  expect(left.map(([key]) => key)).toEqual(['status_global_g1']);
  expect(decodeStatusOrigin(new Decoder(left[0]![1]))).toMatchObject({ num: 5n, addr: { type: AddrType.any } });
});

test('where images are only received, what counts is what is told here by who is up', () => {
  const mirroring = new Mirroring().addImage('i1', 'g1').addImage('i2', 'g2').addImage('i3', 'g3');
  mirroring.tell(5, 'g1', REPLAYING).tell(6, 'g2', REPLAYING).tell(5, 'g3', ERROR).watchedBy(5);

  expect([...mirroring.summary()]).toEqual([
    [UNKNOWN, 1],
    [ERROR, 1],
    [REPLAYING, 1],
  ]);
});

test('where images are sent, each receiver must have told, and an error counts whoever is up', () => {
  const mirroring = new Mirroring().addImage('i1', 'g1').addImage('i2', 'g2').addImage('i3', 'g3');
  mirroring.tell(5, 'g1', REPLAYING, 'far').tell(6, 'g2', ERROR, 'far').watchedBy(5);
  const far = { direction: PeerDirection.tx, mirrorUuid: 'far' };

  expect([...mirroring.summary(far)]).toEqual([
    [UNKNOWN, 1],
    [ERROR, 1],
    [REPLAYING, 1],
  ]);
  // Of two receivers one has not.
  expect([...mirroring.summary(far, { ...far, mirrorUuid: 'farther' })]).toEqual([[UNKNOWN, 3]]);
});
