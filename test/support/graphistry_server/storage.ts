import type { Account } from "./accounts.ts";
import type { ArrowFacts } from "./arrow_check.ts";
import type { DatasetColumns } from "./dataset_check.ts";

export interface StoredFile {
  readonly id: string;
  readonly owner: Account;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Set once bytes have come that could be read. */
  arrow?: ArrowFacts;
  bytes?: Buffer;
}

export interface StoredDataset {
  readonly id: string;
  readonly owner: Account;
  /** The body that created it. */
  readonly body: Readonly<Record<string, unknown>>;
  columns: DatasetColumns;
  warnings: readonly string[];
  /** As the last share call said; a dataset without one is public but unlisted. */
  share?: Readonly<Record<string, unknown>>;
}

/** What has been uploaded. */
export class Storage {
  readonly files = new Map<string, StoredFile>();
  readonly datasets = new Map<string, StoredDataset>();
  #last = 0;

  addFile(owner: Account, fields: StoredFile["fields"]): StoredFile {
    const file = { id: this.#id("file"), owner, fields };
    this.files.set(file.id, file);
    return file;
  }

  addDataset(owner: Account, rest: Pick<StoredDataset, "body" | "columns" | "warnings">): StoredDataset {
    const dataset = { id: this.#id("dataset"), owner, ...rest };
    this.datasets.set(dataset.id, dataset);
    return dataset;
  }

  #id(kind: string): string {
    this.#last += 1;
    return `${kind}${this.#last.toString(16).padStart(8, "0")}`;
  }
}
