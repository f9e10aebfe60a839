import { type FileHandle, open } from "node:fs/promises";

/** Where the exporter writes when it does not use the service's logger. */
export interface Output {
  open(): Promise<void>;
  /** Resolves when the text has been handed to the operating system. @throws when it could not. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** The output of a path: `stdout`, `stderr`, or a file that is appended to. */
export function outputOf(path: string): Output {
  if (path === "stdout") return streamOutput(process.stdout);
  return path === "stderr" ? streamOutput(process.stderr) : new FileOutput(path);
}

function streamOutput(stream: NodeJS.WriteStream): Output {
  return {
    open: () => Promise.resolve(),
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    close: () => Promise.resolve(),
  };
}

class FileOutput implements Output {
  readonly #path: string;
  #file: FileHandle | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    this.#file ??= await open(this.#path, "a", 0o666);
  }

  write(text: string): Promise<void> {
    const done = this.#last.then(() => this.#append(text));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #append(text: string): Promise<void> {
    if (this.#file === undefined) throw new Error(`${this.#path} is not open`);
    await this.#file.appendFile(text);
  }

  async close(): Promise<void> {
    await this.#last;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}
