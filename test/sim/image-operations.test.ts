/**
 * One client of an image does one thing after another, with and without a cache, with stripes, on a clone: the image is always what a model of
 * bytes says, and so are its snapshots; what cannot be is refused and changes nothing.
 */
import { Errno } from '@spirula/encoding';
import { Rados, RadosError } from '@spirula/rados';
import { cloneImage, createImage, deepCopyImage, Image, type ImageWorld, WritableImage } from '@spirula/rbd';
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { SECOND } from '@spirula/world';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { settle } from './lab-time.ts';

const POOL = 'data';
/** Objects of 4 KiB. */
const ORDER = 12;
const SIZE = 20_000;
const SECTOR = 512;

const offset = fc.oneof(
  fc.nat(SIZE + 600),
  fc.integer({ min: 0, max: 40 }).map((n) => n * SECTOR),
);
const length = fc.oneof(fc.nat(9000), fc.constantFrom(0, SECTOR, 4096, 8192));
const byte = fc.nat(255);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write'), offset, length, byte }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('discard'), offset, length }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('writeZeroes'), offset, length, isThick: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('writeSame'),
      offset,
      times: fc.nat(20),
      data: fc.uint8Array({ minLength: 1, maxLength: 700 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('compareAndWrite'),
      offset,
      length: fc.oneof(fc.constant(SECTOR), fc.nat(SECTOR + 1)),
      byte,
      wrongAt: fc.option(fc.nat(SECTOR)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resize'), size: fc.nat(SIZE + 5000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollBack'), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('flatten') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen') }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const shapes = fc.record({
  stripes: fc.constantFrom({ unit: 4096, count: 1 }, { unit: 1024, count: 3 }, { unit: 256, count: 2 }),
  cacheBytes: fc.constantFrom(0, 3000, 100_000),
  isClone: fc.boolean(),
});

const spec = checkScenario({
  name: 'image-operations',
  cluster: { mons: 1, osds: 3, mgrs: 0, clients: 1, options: {} },
  pools: [{ name: POOL, pgNum: 4 }],
  workloads: [{ kind: 'objects', objects: 1, pace: { kind: 'closed', workers: 0 } }],
  checkOneIn: 1000,
});

/** A cluster, and images in it. */
class Scene {
  readonly lab = new Lab(spec, 1);
  readonly rados: Rados;
  readonly world: ImageWorld;
  #images = 0;

  constructor() {
    expect(this.lab.boot()).toBeUndefined();
    const { simulation, cluster } = this.lab;
    const random = simulation.random('images');
    this.rados = cluster.addTools(
      'tools',
      (world, monAddrs, auth) => new Rados(world, { monAddrs, auth, fsid: cluster.fsid }),
    );
    this.world = {
      randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
      sleep: (us) => new Promise((resolve) => simulation.after(us, resolve)),
      wall: () => ({ sec: Math.floor(simulation.now / SECOND), nsec: 0 }),
    };
  }

  nextName(): string {
    return `image${++this.#images}`;
  }
}

/** The image, and what it should be. */
class Trial {
  readonly #scene: Scene;
  readonly #name: string;
  readonly #cacheBytes: number;
  readonly #snapshots = new Map<string, Uint8Array>();
  #image: WritableImage;
  #model: Uint8Array;

  private constructor(scene: Scene, name: string, cacheBytes: number, image: WritableImage, model: Uint8Array) {
    this.#scene = scene;
    this.#name = name;
    this.#cacheBytes = cacheBytes;
    this.#image = image;
    this.#model = model;
  }

  static async begin(
    scene: Scene,
    {
      stripes,
      cacheBytes,
      isClone,
    }: { stripes: { unit: number; count: number }; cacheBytes: number; isClone: boolean },
  ): Promise<Trial> {
    const { rados, world } = scene;
    const io = await rados.ioctx(POOL);
    const name = scene.nextName();
    const model = new Uint8Array(SIZE);
    if (isClone) {
      const parent = scene.nextName();
      await createImage(io, parent, { size: SIZE, order: ORDER }, world);
      const image = await WritableImage.open(rados, io, parent, world);
      for (const [at, fill] of [
        [0, 1],
        [9000, 2],
        [16_384, 3],
      ] as const) {
        model.fill(fill, at, at + 2500);
        await image.write(at, model.slice(at, at + 2500));
      }
      await image.createSnapshot('base');
      await image.protectSnapshot('base');
      await image.close();
      await cloneImage(
        rados,
        { io, name: parent, snapshot: 'base' },
        { io, name },
        { format: 1, order: ORDER, stripes },
        world,
      );
    } else await createImage(io, name, { size: SIZE, order: ORDER, stripes }, world);
    const image = await WritableImage.open(rados, io, name, world, { cacheBytes });
    return new Trial(scene, name, cacheBytes, image, model);
  }

  async take(each: Step): Promise<void> {
    const image = this.#image;
    switch (each.kind) {
      case 'write': {
        const data = new Uint8Array(each.length).fill(each.byte);
        const isWithin = each.offset + each.length <= this.#model.length;
        await this.#expect(image.write(each.offset, data), isWithin ? undefined : Errno.EINVAL);
        if (isWithin) this.#model.set(data, each.offset);
        return;
      }
      case 'discard': {
        const isWithin = each.offset + each.length <= this.#model.length;
        await this.#expect(image.discard(each.offset, each.length), isWithin ? undefined : Errno.EINVAL);
        if (isWithin) this.#model.fill(0, each.offset, each.offset + each.length);
        return;
      }
      case 'writeZeroes': {
        const count = this.#clip(each.offset, each.length);
        await this.#expectCount(image.writeZeroes(each.offset, each.length, each.isThick), count);
        this.#model.fill(0, each.offset, each.offset + (count ?? 0));
        return;
      }
      case 'writeSame': {
        const { data, times } = each;
        const count = this.#clip(each.offset, times * data.length);
        await this.#expectCount(image.writeSame(each.offset, times * data.length, data), count);
        for (let i = 0; i < (count ?? 0); i++) this.#model[each.offset + i] = data[i % data.length]!;
        return;
      }
      case 'compareAndWrite':
        return await this.#compareAndWrite(each);
      case 'flush':
        return await image.flush();
      case 'resize': {
        await image.resize(each.size);
        const grown = new Uint8Array(each.size);
        grown.set(this.#model.subarray(0, each.size));
        this.#model = grown;
        return;
      }
      case 'snapshot': {
        const name = `s${this.#snapshots.size}`;
        await image.createSnapshot(name);
        this.#snapshots.set(name, this.#model.slice());
        return;
      }
      case 'rollBack': {
        const [name, model] = [...this.#snapshots][each.which] ?? [];
        if (name === undefined || model === undefined) return await this.#expect(image.rollBack('none'), Errno.ENOENT);
        await image.rollBack(name);
        this.#model = model.slice();
        return;
      }
      case 'flatten':
        return await this.#expect(image.flatten(), image.header.parent === undefined ? Errno.EINVAL : undefined);
      default: {
        await image.close();
        const { rados, world } = this.#scene;
        const options = { cacheBytes: this.#cacheBytes };
        this.#image = await WritableImage.open(rados, await rados.ioctx(POOL), this.#name, world, options);
      }
    }
  }

  /** What it is refused for is what librbd refuses it for: it goes beyond a sector, or a stripe. */
  async #compareAndWrite({
    offset: at,
    length: asked,
    byte: fill,
    wrongAt,
  }: {
    offset: number;
    length: number;
    byte: number;
    wrongAt: number | null;
  }): Promise<void> {
    const { layout } = this.#image.header;
    const count = this.#clip(at, asked);
    const expected = new Uint8Array(asked);
    expected.set(this.#model.subarray(at, at + asked));
    const isWrong = wrongAt !== null && wrongAt < (count ?? 0);
    if (isWrong) expected[wrongAt] = expected[wrongAt]! ^ 1;
    const working = this.#image.compareAndWrite(at, expected, new Uint8Array(asked).fill(fill));
    const isTooLong = [SECTOR, layout.stripeUnit].some((unit) => (at % unit) + (count ?? 0) > unit);
    if (count === undefined || (count > 0 && isTooLong)) return await this.#expect(working, Errno.EINVAL);
    expect(await working).toBe(isWrong ? at + wrongAt : undefined);
    if (!isWrong) this.#model.fill(fill, at, at + count);
  }

  /** Bytes up to where the image ends; undefined: it would begin there, or behind. */
  #clip(at: number, count: number): number | undefined {
    if (count === 0) return 0;
    return at < this.#model.length ? Math.min(count, this.#model.length - at) : undefined;
  }

  async #expect(working: Promise<unknown>, code: number | undefined): Promise<void> {
    const found = await working.then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof RadosError) return error.code;
        throw error;
      },
    );
    expect(found).toBe(code);
  }

  async #expectCount(working: Promise<number>, count: number | undefined): Promise<void> {
    if (count === undefined) await this.#expect(working, Errno.EINVAL);
    else expect(await working).toBe(count);
  }

  async looksRight(): Promise<void> {
    expect(this.#image.size).toBe(this.#model.length);
    const bytes = await this.#image.read(0, this.#image.size);
    expect(Buffer.compare(bytes, this.#model)).toBe(0);
  }

  /** For whoever else opens it, too. */
  async end(): Promise<void> {
    await this.#image.close();
    const { rados } = this.#scene;
    for (const [snapshot, model] of [[undefined, this.#model] as const, ...this.#snapshots]) {
      const image = await Image.open(rados, await rados.ioctx(POOL), this.#name, snapshot);
      expect(image.size).toBe(model.length);
      expect(Buffer.compare(await image.read(0, image.size), model)).toBe(0);
    }
  }
}

/** What was wrong once. */
const FOUND: [typeof shapes extends fc.Arbitrary<infer T> ? T : never, Step[]][] = [
  // The snapshot lost what it showed of the parent.
  [
    { stripes: { unit: 4096, count: 1 }, cacheBytes: 0, isClone: true },
    [{ kind: 'snapshot' }, { kind: 'discard', offset: 0, length: 8192 }, { kind: 'flatten' }],
  ],
  [
    { stripes: { unit: 4096, count: 1 }, cacheBytes: 0, isClone: true },
    [{ kind: 'snapshot' }, { kind: 'resize', size: 0 }, { kind: 'flatten' }],
  ],
];

test('an image is what was done to it, whatever it is made of and whether writes are held back', async () => {
  const scene = new Scene();
  await settle(scene.lab, scene.rados.connect());
  await fc.assert(
    fc.asyncProperty(shapes, fc.array(step, { minLength: 1, maxLength: 14 }), async (shape, steps) => {
      const trial = await settle(scene.lab, Trial.begin(scene, shape));
      for (const each of steps) {
        await settle(scene.lab, trial.take(each));
        await settle(scene.lab, trial.looksRight());
      }
      await settle(scene.lab, trial.end());
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60), examples: FOUND },
  );
}, 300_000);

test('an image is copied with its snapshots while OSDs still know one that was removed', async () => {
  const scene = new Scene();
  const { lab, rados, world } = scene;
  await settle(lab, rados.connect());
  const io = await rados.ioctx(POOL);
  const bytes = (fill: number) => new Uint8Array(SIZE).fill(fill);
  const work = async () => {
    expect(await rados.monCommand({ prefix: 'osd set', key: 'nosnaptrim' })).toMatchObject({ code: 0 });
    await createImage(io, 'from', { size: SIZE, order: ORDER }, world);
    const image = await WritableImage.open(rados, io, 'from', world);
    await image.write(0, bytes(1));
    await image.createSnapshot('kept');
    await image.createSnapshot('removed');
    await image.write(0, bytes(2));
    await image.removeSnapshot('removed');
    await image.close();
    const source = await Image.open(rados, io, 'from');
    await deepCopyImage(rados, source, { io, name: 'to' }, { isFlat: false }, world, () => {});
  };

  await settle(lab, work());

  for (const [snapshot, fill] of [
    ['kept', 1],
    [undefined, 2],
  ] as const) {
    const copy = await settle(lab, Image.open(rados, io, 'to', snapshot));
    expect(Buffer.compare(await settle(lab, copy.read(0, SIZE)), bytes(fill))).toBe(0);
  }
});

/** An image of which every object is there, and its snapshot. */
async function imageWithSnapshot({ rados, world }: Scene): Promise<WritableImage> {
  const io = await rados.ioctx(POOL);
  await createImage(io, 'disk', { size: SIZE, order: ORDER }, world);
  const image = await WritableImage.open(rados, io, 'disk', world);
  await image.write(0, new Uint8Array(SIZE).fill(1));
  await image.createSnapshot('s');
  return image;
}

type Work = (image: WritableImage) => Promise<void>;
const works: [string, Work][] = [
  ['written', (image) => image.write(0, new Uint8Array(100).fill(2))],
  ['discarded', (image) => image.discard(0, 4096)],
  ['resized', (image) => image.resize(2 * SIZE)],
  ['given a snapshot', (image) => image.createSnapshot('another')],
  ['rid of a snapshot', (image) => image.removeSnapshot('s')],
  ['taken back to a snapshot', (image) => image.rollBack('s')],
];

test.each(works)('an image whose object map was damaged can be %s, and nobody trusts the map', async (_, work) => {
  const scene = new Scene();
  const { lab, rados } = scene;
  await settle(lab, rados.connect());
  const damaged = async () => {
    const image = await imageWithSnapshot(scene);
    const { id } = image.header;
    const io = await rados.ioctx(POOL);
    for (const { id: snapId } of image.header.snapshots) {
      await io.writeFull(`rbd_object_map.${id}.${snapId.toString(16).padStart(16, '0')}`, Buffer.from('damaged'));
    }
    await io.writeFull(`rbd_object_map.${id}`, Buffer.from('damaged'));
    await work(image);
    await image.close();
    return (await WritableImage.open(rados, io, 'disk', scene.world)).header.flags;
  };
  expect(await settle(lab, damaged())).toBe(3n);
});

test('an object map can be changed after a rollback that was cut short', async () => {
  const scene = new Scene();
  const { lab, rados } = scene;
  await settle(lab, rados.connect());
  const cutShort = async () => {
    const image = await imageWithSnapshot(scene);
    const io = await rados.ioctx(POOL);
    // As if whoever had it died: it begins, and ends at the first object.
    await image.discard(0, 4096);
    const [snapshot] = image.header.snapshots;
    await image.underLock(async ({ map }) => void (await map?.beginRollBack(snapshot!.id)));
    await image.write(4096, new Uint8Array(100).fill(3));
    await image.discard(4096, 4096);
    await image.close();
    return (await WritableImage.open(rados, io, 'disk', scene.world)).header.flags;
  };
  expect(await settle(lab, cutShort())).toBe(0n);
});
