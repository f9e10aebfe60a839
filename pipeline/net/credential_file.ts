import { readFileSync, statSync } from "node:fs";
import { messageOf } from "../error_text.ts";
import type { Host } from "../host.ts";

/** How often a file is looked at while its value is asked for. */
const lookEveryMs = 1_000;

/**
 * The text of a file with a secret, without the white space around it.
 * @throws {Error} as contrib's extensions, when it cannot be read or is empty.
 */
export function readCredential(path: string): string {
  const text = readFileSync(path, "utf8").trim();
  if (text === "") throw new Error(`credentials file ${JSON.stringify(path)} is empty`);
  return text;
}

/**
 * A secret that lies in a file. Whoever asks for the value gets the file's text of at most a second ago, also where the
 * file is a link to another one by then; a file that cannot be read, or is empty, leaves the last value in place.
 */
export class CredentialFile {
  readonly #path: string;
  readonly #host: Pick<Host, "clock" | "logger">;
  readonly #changed: (value: string) => void;
  #value: string | undefined;
  #seen = "";
  #lookAgainMs = Number.NEGATIVE_INFINITY;

  /** `changed` hears each new value, the first one included. */
  constructor(path: string, host: Pick<Host, "clock" | "logger">, changed: (value: string) => void = () => {}) {
    this.#path = path;
    this.#host = host;
    this.#changed = changed;
  }

  /** Reads the file now. @throws {Error} when it cannot be read or is empty. */
  open(): void {
    try {
      this.#read(this.#look());
    } catch (cause) {
      throw new Error(`failed to read credentials file ${JSON.stringify(this.#path)}: ${messageOf(cause)}`, { cause });
    }
  }

  /** The secret; undefined while the file has never held one. */
  get value(): string | undefined {
    if (this.#host.clock.monotonicMs() < this.#lookAgainMs) return this.#value;
    const before = this.#seen;
    try {
      const seen = this.#look();
      if (seen !== before) this.#read(seen);
    } catch (error) {
      const message = messageOf(error);
      this.#seen = message;
      const fields = { file: this.#path, error: message };
      if (message !== before) this.#host.logger.warn(fields, "Failed to reload credentials file, keeping last value.");
    }
    return this.#value;
  }

  /** What tells one state of the file from another. */
  #look(): string {
    this.#lookAgainMs = this.#host.clock.monotonicMs() + lookEveryMs;
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(this.#path);
    return [dev, ino, size, mtimeMs, ctimeMs].join();
  }

  #read(seen: string): void {
    const value = readCredential(this.#path);
    this.#seen = seen;
    if (value === this.#value) return;
    this.#value = value;
    this.#changed(value);
  }
}

/** A secret that is written in the configuration, or else in a file that is read again as it changes. */
export interface Credential {
  readonly value: string | undefined;
  /** To be called before the first use. @throws {Error} when the file cannot be read. */
  open(): void;
}

/** The secret of a pair of settings, such as `password` and `password_file`; the file wins. */
export function credential(text: string, file: string, host: Pick<Host, "clock" | "logger">): Credential {
  return file === "" ? { value: text, open: () => {} } : new CredentialFile(file, host);
}
