/** The time of one component instance in the service: what it leaves behind is taken away when it ends. */
export class Tenure {
  /** Set while another configuration takes over that has no use for the instance: what it alone has may be handed on. */
  isEnding = false;
  readonly #ends: (() => void)[] = [];

  /** Has `run` called when the tenure ends. */
  atEnd(run: () => void): void {
    this.#ends.push(run);
  }

  /** Safe to call twice. */
  end(): void {
    for (const run of this.#ends.splice(0)) run();
  }
}
