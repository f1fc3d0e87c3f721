export { ConfFileError, type ConfSections, lookUp, normalName, parseConfFile } from './conf-file.ts';
export {
  type ConfigLocation,
  ConfigMap,
  type ConfigTarget,
  type CrushTypeNumbers,
  configKey,
  formatMask,
  type MaskedOption,
  parseTarget,
} from './config-map.ts';
export { type ConfigSource, DaemonConfig, type SetResult, type ShownOption } from './daemon-config.ts';
export { dumpOption, printOption } from './describe.ts';
export { expandMeta, type Metavariables } from './metavariables.ts';
export { formatValue, hasFlag, type Option, type OptionValue } from './option.ts';
export { allOptions, type Config, defaultOf, findOption, isRead, makeConfig } from './options.ts';
export { type ParsedValue, parseValue } from './parse-value.ts';
