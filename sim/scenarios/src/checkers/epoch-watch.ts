/** Watches that no process goes back to an older OSDMap while it runs. */
export class EpochWatch {
  readonly #newest = new Map<string, number>();

  /** @param epoch of the map that the process uses now. Returns what is wrong. */
  check(process: string, epoch: number): string | undefined {
    const before = this.#newest.get(process) ?? 0;
    if (epoch === before) return undefined;
    this.#newest.set(process, epoch);
    return epoch < before ? `${process} went back from OSDMap ${before} to ${epoch}` : undefined;
  }

  /** The process has lost its memory. */
  forget(process: string): void {
    this.#newest.delete(process);
  }
}
