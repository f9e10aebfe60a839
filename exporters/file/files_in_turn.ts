import type { Exclusive, Host } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import type { Files, WriteDone } from "./files.ts";

/** A path whose exporter may be replaced while the service runs. */
interface Place {
  /** How the latest exporter wrote there; undefined before the first has. */
  encoding: string | undefined;
  /** When all exporters so far have closed their files. */
  closed: Promise<unknown>;
}

export interface FilesInTurnSettings {
  readonly path: string;
  /** How batches are written. Where the exporter before wrote otherwise, files begin anew. */
  readonly encoding: string;
  /** `goesOn` when what the files hold was written by this process and has to stay. */
  readonly make: (goesOn: boolean) => Files;
}

/**
 * The files of an exporter, opened by the first of its signals and closed by the last. When it takes the place of another
 * one at the same path, it writes once that one has closed its files, and goes on where they end.
 */
export class FilesInTurn implements Files {
  readonly #settings: FilesInTurnSettings;
  readonly #host: Pick<Host, "exclusive">;
  readonly #left = Promise.withResolvers<void>();
  readonly #waiting: (readonly [Pdata, WriteDone])[] = [];
  #users = 0;
  #opening: Promise<void> | undefined;
  #turn: Promise<void> | undefined;
  #taken: Exclusive<Place> | undefined;
  #files: Files | undefined;

  constructor(settings: FilesInTurnSettings, host: Pick<Host, "exclusive">) {
    this.#settings = settings;
    this.#host = host;
  }

  /** Rejects when the files cannot be opened. Who comes after another exporter hears of it with the first write. */
  async open(): Promise<void> {
    this.#users += 1;
    this.#opening ??= this.#open();
    await this.#opening;
  }

  async #open(): Promise<void> {
    let place: Place = { encoding: undefined, closed: Promise.resolve() };
    const fresh = place;
    try {
      const options = { open: async () => fresh, close: async () => {} };
      this.#taken = await this.#host.exclusive(`files ${this.#settings.path}`, options);
      place = this.#taken.thing;
    } catch (error) {
      // Two exporters may share a path and both stay: a device, standard output.
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
    }
    const { closed } = place;
    place.closed = Promise.all([closed, this.#left.promise]);
    if (place === fresh) await this.#begin(place, (opening) => opening);
    else this.#turn = closed.then(() => this.#begin(place, (opening) => opening.catch(() => {})));
  }

  async #begin(place: Place, opened: (opening: Promise<void>) => Promise<void>): Promise<void> {
    if (this.#users === 0) return; // it was given up before its turn came
    const { encoding, make } = this.#settings;
    const files = make(place.encoding === encoding);
    place.encoding = encoding;
    await opened(files.open());
    this.#files = files;
    for (const [data, done] of this.#waiting.splice(0)) files.write(data, done);
  }

  write(data: Pdata, done: WriteDone): void {
    if (this.#files === undefined) this.#waiting.push([data, done]);
    else this.#files.write(data, done);
  }

  async idle(): Promise<void> {
    if (this.#waiting.length > 0) await this.#turn;
    await this.#files?.idle();
  }

  async close(): Promise<void> {
    if (this.#users === 1) await this.idle();
    this.#users -= 1;
    if (this.#users > 0) return;
    await this.#files?.close();
    this.#left.resolve();
    await this.#taken?.release();
  }
}
