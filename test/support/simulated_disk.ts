import type { Disk, DiskFile } from "../../pipeline/storage/disk.ts";

interface Stored {
  /** What reads see. */
  bytes: Buffer;
  /** What is on the platter. */
  synced: Buffer;
  /** Whether the directory entry is. */
  isLinked: boolean;
}

/** An error as Node's file functions throw them. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/**
 * A directory in memory that forgets, at a power loss, what was not synced, and that fails when told to. Unlike a real one
 * it also forgets a file whose directory was not synced, and of an unsynced write keeps what `random` says.
 */
export class SimulatedDisk implements Disk {
  /** Bytes that fit; writes past it store what fits, then throw ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Called before each operation; what it throws is the operation's error. */
  fault: (operation: "open" | "read" | "write" | "sync" | "truncate" | "remove", name: string) => void = () => {};
  syncs = 0;
  writes = 0;
  readonly #files = new Map<string, Stored>();
  readonly #removed = new Map<string, Stored>();
  #isOn = true;

  get usedBytes(): number {
    let sum = 0;
    for (const { bytes } of this.#files.values()) sum += bytes.length;
    return sum;
  }

  /** The bytes of a file, to look at or to change; undefined when there is none. */
  contents(name: string): Buffer | undefined {
    return this.#files.get(name)?.bytes;
  }

  names(): string[] {
    return [...this.#files.keys()].sort();
  }

  /** Puts a file there, as if it had been there for long. */
  put(name: string, bytes: Buffer): void {
    this.#files.set(name, { bytes, synced: bytes, isLinked: true });
  }

  /** The disk as the next start finds it. What ran on this one gets nothing done any more. */
  afterPowerLoss(random: () => number): SimulatedDisk {
    this.#isOn = false;
    const next = new SimulatedDisk();
    for (const [name, file] of [...this.#removed, ...this.#files]) {
      if (file.isLinked || random() < 0.5) next.put(name, survivor(file, random));
    }
    return next;
  }

  async list(): Promise<readonly string[]> {
    return this.names();
  }

  async open(name: string): Promise<DiskFile> {
    await this.#turn("open", name);
    let file = this.#files.get(name);
    if (file === undefined) {
      file = { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), isLinked: false };
      this.#files.set(name, file);
    }
    return this.#handle(name, file);
  }

  async remove(name: string): Promise<void> {
    await this.#turn("remove", name);
    const file = this.#files.get(name);
    if (file === undefined) throw systemError("ENOENT");
    this.#files.delete(name);
    if (file.isLinked) this.#removed.set(name, file);
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) throw systemError("ENOENT");
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  async sync(): Promise<void> {
    await this.#turn("sync", ".");
    for (const file of this.#files.values()) file.isLinked = true;
    this.#removed.clear();
  }

  #handle(name: string, file: Stored): DiskFile {
    return {
      size: async () => file.bytes.length,
      read: async (position, length) => {
        await this.#turn("read", name);
        return Buffer.from(file.bytes.subarray(position, position + length));
      },
      write: async (pieces, position) => {
        await this.#turn("write", name);
        this.writes += 1;
        const piece = Buffer.concat(pieces);
        const free = this.capacityBytes - this.usedBytes + Math.max(0, file.bytes.length - position);
        const fitting = piece.subarray(0, Math.max(0, Math.min(piece.length, free)));
        const before = Buffer.alloc(Math.max(position, file.bytes.length));
        file.bytes.copy(before);
        file.bytes = Buffer.concat([
          before.subarray(0, position),
          fitting,
          before.subarray(Math.min(before.length, position + fitting.length)),
        ]);
        if (fitting.length < piece.length) throw systemError("ENOSPC");
      },
      truncate: async (size) => {
        await this.#turn("truncate", name);
        file.bytes = file.bytes.subarray(0, size);
      },
      sync: async () => {
        await this.#turn("sync", name);
        this.syncs += 1;
        file.synced = Buffer.from(file.bytes);
      },
      isNamed: async () => this.#files.get(name) === file,
      close: async () => {},
    };
  }

  async #turn(operation: Parameters<SimulatedDisk["fault"]>[0], name: string): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#isOn) await new Promise(() => {});
    this.fault(operation, name);
  }
}

/** What a power loss leaves of a file: what was synced, and of what came after any part, the rest as zeros. */
function survivor({ bytes, synced }: Stored, random: () => number): Buffer {
  const length = synced.length + Math.floor(random() * (Math.max(bytes.length, synced.length) - synced.length + 1));
  const left = Buffer.alloc(length);
  synced.copy(left);
  const unsynced = bytes.subarray(synced.length, synced.length + Math.floor(random() * (length - synced.length + 1)));
  unsynced.copy(left, synced.length);
  return left;
}
