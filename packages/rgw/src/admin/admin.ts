/** What commands of administration work with. */
import { type Bytes, EMPTY } from '@spirula/encoding';
import type { World } from '@spirula/world';
import type { Store } from '../store/store.ts';
import { BucketAdmin } from './bucket-admin.ts';
import type { AdminOptions } from './command-options.ts';
import { MetadataAdmin } from './metadata-admin.ts';
import { PlacementAdmin } from './placement-admin.ts';
import { ReshardAdmin } from './reshard-admin.ts';
import { RoleAdmin } from './role-admin.ts';
import { TopicAdmin } from './topic-admin.ts';
import { UserAdmin } from './user-admin.ts';

/** What a command line gives beside its options: the file of `--infile`, or stdin. */
type ReadInput = (options: AdminOptions) => Promise<Bytes>;

export interface AdminParts {
  readonly store: Store;
  readonly world: Pick<World, 'clock' | 'config' | 'crypto' | 'log'>;
  readonly readInput?: ReadInput;
}

export interface Admin extends AdminParts {
  readonly readInput: ReadInput;
  readonly users: UserAdmin;
  readonly buckets: BucketAdmin;
  readonly metadata: MetadataAdmin;
  readonly reshards: ReshardAdmin;
  readonly roles: RoleAdmin;
  readonly topics: TopicAdmin;
  readonly placements: PlacementAdmin;
}

/** Words of a command -> what it does; what it gives is printed, undefined is nothing. */
export type CommandTable = Readonly<Record<string, (admin: Admin, options: AdminOptions) => Promise<unknown>>>;

export function adminOf({ store, world, readInput = async () => EMPTY }: AdminParts): Admin {
  return {
    readInput,
    metadata: new MetadataAdmin(store, () => world.clock.wall()),
    store,
    world,
    reshards: new ReshardAdmin({
      zone: store.zone,
      clock: world.clock,
      log: world.log,
      config: world.config,
      entropy: world.crypto,
    }),
    roles: new RoleAdmin({ roles: store.roles, entropy: world.crypto, now: () => world.clock.wall() }),
    placements: new PlacementAdmin(store.zone.stored),
    topics: new TopicAdmin(store.topics, store.queues),
    users: new UserAdmin({ users: store.users, lists: store.buckets.lists, entropy: world.crypto }),
    buckets: new BucketAdmin({ store, now: () => world.clock.wall() }),
  };
}
