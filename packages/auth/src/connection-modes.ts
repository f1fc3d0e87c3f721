import type { EntityTypeName } from '@spirula/encoding';
import { type Config, ConnectionMode } from '@spirula/world';

/**
 * Modes that one of type `own` takes on sessions with one of type `peer`, best first, as the `ms_*_mode` options say
 * (AuthRegistry::get_supported_methods). What the options name that is no mode counts for nothing.
 */
export function connectionModes(config: Config, own: EntityTypeName, peer: EntityTypeName): readonly number[] {
  const modes = modesOption(config, own, peer).split(/[\s,;]+/);
  return modes.flatMap((name) => (name === 'crc' || name === 'secure' ? ConnectionMode[name] : []));
}

function modesOption(config: Config, own: EntityTypeName, peer: EntityTypeName): string {
  switch (own) {
    case 'client':
      return peer === 'mon' ? config.ms_mon_client_mode : config.ms_client_mode;
    case 'mon':
      return peer === 'mon' ? config.ms_mon_cluster_mode : config.ms_mon_service_mode;
    default:
      return peer === 'client' ? config.ms_service_mode : config.ms_cluster_mode;
  }
}
