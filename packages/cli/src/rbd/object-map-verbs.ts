/** `rbd object-map check` and `rebuild` (tools/rbd/action/ObjectMap.cc). */
import { type RawString, rawFromText } from '@spirula/encoding';
import type { WritableImage } from '@spirula/rbd';
import { openPool, orRefuse, withImage } from './context.ts';
import { type OnProgress, withProgress } from './progress.ts';
import { takeImageSpec } from './spec.ts';
import { PROGRESS_OPTIONS, SNAPSHOT_OPTIONS, type Verb, type VerbDefinition } from './verb.ts';

type Work = (image: WritableImage, snapshot: RawString, onProgress: OnProgress) => Promise<void>;

function onObjectMap(operation: string, complaint: string, work: Work): Verb {
  return async (context) => {
    const spec = takeImageSpec(context);
    const snapshot = rawFromText(spec.snapshot);
    await withImage(context, await openPool(context, spec), spec.image, async (image) => {
      if (snapshot !== '') await orRefuse('error setting snapshot context', image.requireSnapshot(snapshot));
      const working = withProgress(context, operation, (onProgress) => work(image, snapshot, onProgress));
      await orRefuse(complaint, working);
    });
  };
}

const check = onObjectMap('Object Map Check', 'rbd: checking object map failed', (image, snapshot, onProgress) =>
  image.checkObjectMap(snapshot, onProgress),
);
const rebuild = onObjectMap('Object Map Rebuild', 'rbd: rebuilding object map failed', (image, snapshot, onProgress) =>
  image.rebuildObjectMap(snapshot, onProgress),
);

const OPTIONS = { ...SNAPSHOT_OPTIONS, ...PROGRESS_OPTIONS };

export const objectMapVerbs: readonly VerbDefinition[] = [
  {
    names: ['object-map check'],
    usage: [['object-map check IMAGE[@SNAPSHOT]', 'whether it is what the objects are [--no-progress]']],
    options: OPTIONS,
    maxArgs: 1,
    run: check,
  },
  {
    names: ['object-map rebuild'],
    usage: [['object-map rebuild IMAGE[@SNAPSHOT]', 'make it so [--no-progress]']],
    options: OPTIONS,
    maxArgs: 1,
    run: rebuild,
  },
];
