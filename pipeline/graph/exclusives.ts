import type { Exclusive, ExclusiveOptions } from "../host.ts";
import type { Tenure } from "./tenure.ts";

interface Entry {
  readonly thing: Promise<unknown>;
  readonly holders: Set<Tenure>;
}

/** What only one component at a time can have: ports, directories. */
export class Exclusives {
  readonly #entries = new Map<string, Entry>();

  /** @see Host.exclusive */
  async take<T>(tenure: Tenure, name: string, { open, close }: ExclusiveOptions<T>): Promise<Exclusive<T>> {
    const known = this.#entries.get(name);
    if (known !== undefined && !isEnding(known)) {
      throw Object.assign(new Error(`${name} is in use by another component`), { code: "EADDRINUSE" });
    }
    const entry = known ?? { thing: this.#ending().then(open), holders: new Set() };
    entry.holders.add(tenure);
    this.#entries.set(name, entry);
    const release = async () => {
      if (!entry.holders.delete(tenure) || entry.holders.size > 0) return;
      this.#entries.delete(name);
      await close((await entry.thing) as T);
    };
    try {
      return { thing: (await entry.thing) as T, release };
    } catch (error) {
      if (this.#entries.get(name) === entry) this.#entries.delete(name);
      throw error;
    }
  }

  /** What may be handed on. */
  async #ending(): Promise<readonly unknown[]> {
    return await Promise.all([...this.#entries.values()].filter(isEnding).map(({ thing }) => thing));
  }
}

function isEnding({ holders }: Entry): boolean {
  return [...holders].every((holder) => holder.isEnding);
}
