/** The verb failed: what is said of it, whole, and the exit status: rbd's is the errno. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}
