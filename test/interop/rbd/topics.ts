import { groups, migrations, namespaces, trash } from './bookkeeping.ts';
import { caps } from './caps.ts';
import { data, qemu } from './data.ts';
import { dataPools, images } from './images.ts';
import { journals, mirroring } from './mirroring.ts';
import { clones, newClones, objectMaps, snapshots } from './snapshots.ts';
import { STATE, type Topic } from './topic.ts';

const dying: Topic = {
  name: 'a client that dies',
  steps: ['rbd create POOL/a --size 4M', 'python dying.py POOL a', 'rbd rm POOL/a --no-progress', STATE],
};

const program: Topic = { name: 'the Python binding', steps: ['python api.py POOL', STATE] };

export const topics: readonly Topic[] = [
  images,
  dataPools,
  data,
  qemu,
  snapshots,
  clones,
  newClones,
  objectMaps,
  trash,
  namespaces,
  groups,
  migrations,
  journals,
  mirroring,
  caps,
  dying,
  program,
];
