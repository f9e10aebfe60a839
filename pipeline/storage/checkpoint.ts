import { type Disk, readWhole, withFile } from "./disk.ts";
import type { Checkpoint } from "./storage.ts";

/** A checkpoint as a file of its own: `checkpoint-receiver_otlp_json_file`. A write that is cut off leaves the old one. */
export function fileCheckpoint(disk: Disk, name: string, { fsync }: { readonly fsync: boolean }): Checkpoint {
  const file = `checkpoint-${encodeURIComponent(name)}`;
  return {
    async read() {
      return (await disk.list()).includes(file) ? (await readWhole(disk, file)).toString("utf8") : undefined;
    },
    async write(text) {
      const next = `${file}.next`;
      const bytes = Buffer.from(text);
      await withFile(disk, next, async (opened) => {
        await opened.write([bytes], 0);
        await opened.truncate(bytes.length);
        if (fsync) await opened.sync();
      });
      await disk.rename(next, file);
      if (fsync) await disk.sync();
    },
  };
}
