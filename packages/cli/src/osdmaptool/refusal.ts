/** Ends the tool with a message for stderr, after which a newline stands, and a status. */
export class Refusal extends Error {
  readonly status: number;
  /** Whether the list of options follows, on stdout. */
  readonly showsUsage: boolean;

  constructor(message: string, status = 1, showsUsage = false) {
    super(message);
    this.status = status;
    this.showsUsage = showsUsage;
  }
}

/** What Ceph's tool says of arguments that make no sense: a line, and the list of options. */
export function misuse(what: string): Refusal {
  return new Refusal(`osdmaptool: ${what}`, 1, true);
}
