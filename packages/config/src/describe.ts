/** What `config help` says of an option (Option::print, Option::dump). */
import { dumpValue } from './daemon-config.ts';
import { canUpdateAtRuntime, formatValue, type Option, type OptionFlag, type OptionValue } from './option.ts';
import { isRead, NO_EFFECT } from './options.ts';

/** The flags that are shown, in Ceph's order. */
const SHOWN_FLAGS: readonly OptionFlag[] = ['runtime', 'no_mon_update', 'startup', 'cluster_create', 'create'];

export function dumpOption(name: string, option: Option): Record<string, unknown> {
  const { type, level, description, values, min, max } = option;
  const dump = (value: OptionValue | undefined) => (value === undefined ? '' : dumpValue(option, value));
  return {
    name,
    type,
    level,
    desc: description,
    long_desc: isRead(name) ? '' : NO_EFFECT,
    default: dump(option.default),
    daemon_default: dump(option.daemonDefault),
    tags: option.tags ?? [],
    services: option.services ?? [],
    see_also: option.seeAlso ?? [],
    ...(type === 'str' && { enum_values: values ?? [] }),
    min: dump(min),
    max: dump(max),
    can_update_at_runtime: canUpdateAtRuntime(option),
    flags: SHOWN_FLAGS.filter((flag) => option.flags?.includes(flag)),
  };
}

export function printOption(name: string, option: Option): string {
  const { type, level, description, values, min, max, services, tags, seeAlso } = option;
  const show = (value: OptionValue | undefined) => (value === undefined ? '' : formatValue(type, value));
  const list = (title: string, items: readonly string[] | undefined) =>
    items && items.length > 0 ? [`  ${title}: [${items.join(',')}]`] : [];
  return [
    `${name} - ${description}`,
    `  (${type}, ${level})`,
    ...(option.daemonDefault === undefined
      ? [`  Default: ${show(option.default)}`]
      : [`  Default (non-daemon): ${show(option.default)}`, `  Default (daemon): ${show(option.daemonDefault)}`]),
    ...(values ? [`  Possible values: ${values.map((value) => ` ${value}`).join('')}`] : []),
    ...(min === undefined ? [] : [`  Minimum: ${show(min)}`, `  Maximum: ${show(max)}`]),
    `  Can update at runtime: ${canUpdateAtRuntime(option)}`,
    ...list('Services', services),
    ...list('Tags', tags),
    ...list('See also', seeAlso),
    ...(isRead(name) ? [] : ['', NO_EFFECT]),
    '',
  ].join('\n');
}
