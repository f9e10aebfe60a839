import { acrossFields, duration, optionalBlock, z } from "../../pipeline/config/schema.ts";
import { unsupported } from "../../pipeline/net/unsupported.ts";

const rotation = z.strictObject({
  max_megabytes: z
    .number()
    .default(100)
    .describe("Size (MiB) at which a file is renamed and a new one begun; 0 or less: 100."),
  max_days: z.int().default(0).describe("Age at which renamed files are deleted; 0 or less: never."),
  max_backups: z.int().default(100).describe("Renamed files that are kept; 0 or less: all."),
  localtime: z.boolean().default(false).describe("Whether names of renamed files carry local time instead of UTC."),
});

const groupBy = z
  .strictObject({
    enabled: z.boolean().default(false).describe("Whether there is a file for each value of the attribute."),
    resource_attribute: z
      .string()
      .default("fileexporter.path_segment")
      .describe("Resource attribute whose text takes the place of the * in path; data without it is dropped."),
    max_open_files: z
      .int()
      .default(100)
      .describe("Files that are open at a time; the one used the longest ago is closed."),
  })
  .prefault({})
  .describe("Writes to several files, by a resource attribute.");

export const config = z
  .strictObject({
    path: z
      .string({ error: "path must be non-empty" })
      .min(1, "path must be non-empty")
      .describe("The file. With group_by, a * in it stands for the value of the attribute."),
    append: z.boolean().default(false).describe("Whether the file is kept at the start; otherwise it is emptied."),
    rotation: optionalBlock(rotation, "off").describe("Begins new files by size and deletes old ones; off by default."),
    format: z
      .enum(["json", "proto"], { error: "format type is not supported" })
      .default("json")
      .describe("json: one line of OTLP/JSON for every batch; proto: OTLP messages behind their length."),
    compression: z
      .enum(["", "zstd"], { error: "compression is not supported" })
      .default("")
      .describe("zstd: every batch is compressed by itself and stands behind its length."),
    compression_params: z
      .strictObject({ level: z.int().default(0).describe("1 to 22; 0: 3.") })
      .prefault({})
      .describe("How much is tried."),
    flush_interval: duration()
      .refine((milliseconds) => milliseconds >= 0, { error: "flush_interval must be larger than zero" })
      .prefault("1s")
      .describe(
        "Longest time until the operating system has what arrived. Data is never held back, so it is always met.",
      ),
    create_directory: z.boolean().default(false).describe("Whether missing folders of the path are made."),
    directory_permissions: z
      .string()
      .default("")
      .describe("Mode of folders that are made, in octal digits; 0755 when not given."),
    group_by: groupBy,
    encoding: unsupported("encoding", "Extension that encodes batches."),
  })
  .check(
    acrossFields((settings, context) => {
      const refuse = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
      if (settings.append && settings.rotation !== undefined) {
        refuse("append", "append and rotation enabled at the same time is not supported");
      }
      const { directory_permissions: mode, create_directory, group_by, path } = settings;
      if (mode !== "" && !create_directory) {
        refuse("directory_permissions", "directory_permissions requires create_directory to be true");
      } else if (!/^[0-7]*$/.test(mode)) {
        refuse("directory_permissions", "directory_permissions value must be a valid octal representation");
      } else if (Number.parseInt(mode, 8) > 0o777) {
        refuse("directory_permissions", "directory_permissions contain invalid bits for file access");
      }
      if (!group_by.enabled) return;
      if (path.split("*").length !== 2) {
        refuse("path", "path must contain exactly one * when group_by is enabled");
      } else if (path.startsWith("*")) {
        refuse("path", "path must not start with * when group_by is enabled");
      }
      if (group_by.resource_attribute === "") {
        refuse("group_by", "resource_attribute must not be empty when group_by is enabled");
      }
      if (group_by.max_open_files < 1) refuse("group_by", "max_open_files must be positive when group_by is enabled");
    }),
  );

export type Config = z.output<typeof config>;
