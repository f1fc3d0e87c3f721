/** `$cluster`, `$type`, `$id`, `$name`, `$host`, `$pid` and other options' names in values (md_config_t::expand_meta). */

export interface Metavariables {
  readonly cluster: string;
  readonly type: string;
  readonly id: string;
  readonly host?: string;
  readonly pid?: number;
}

/** A chain of options that name one another is followed so far. */
const MAX_DEPTH = 16;

/** Replaces what is known; `option` gives the value of another option. What is not known stays as it is. */
export function expandMeta(
  text: string,
  { cluster, type, id, host, pid }: Metavariables,
  option: (name: string) => string | undefined,
): string {
  const known: Readonly<Record<string, string | undefined>> = {
    cluster,
    type,
    id,
    name: `${type}.${id}`,
    num: id,
    host,
    pid: pid === undefined ? undefined : String(pid),
  };
  const expand = (value: string, depth: number): string =>
    value.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, plain?: string) => {
      const name = braced ?? plain ?? '';
      if (Object.hasOwn(known, name)) return known[name] ?? whole;
      const found = depth < MAX_DEPTH ? option(name) : undefined;
      return found === undefined ? whole : expand(found, depth + 1);
    });
  return expand(text, 0);
}
