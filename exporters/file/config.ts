import { acrossFields, duration, optionalBlock, z } from "../../pipeline/config/schema.ts";
import { unsupported } from "../../pipeline/net/unsupported.ts";

const rotation = z.strictObject({
  max_megabytes: z
    .number()
    .min(0)
    .default(100)
    .describe("Size (MiB) at which a file is renamed and a new one begun; 0: 100."),
  max_days: z.int().min(0).default(0).describe("Age at which renamed files are deleted; 0: never."),
  max_backups: z.int().min(0).default(100).describe("Renamed files that are kept; 0: all."),
  localtime: z.boolean().default(false).describe("Whether names of renamed files carry local time instead of UTC."),
});

const groupBy = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .refine((enabled) => !enabled, { error: "group_by is not supported by otelpipe yet: remove it" })
      .describe("Not supported yet."),
    resource_attribute: z.string().default("fileexporter.path_segment").describe("Not supported yet."),
    max_open_files: z.int().min(1).default(100).describe("Not supported yet."),
  })
  .optional()
  .describe("Not supported yet.");

export const config = z
  .strictObject({
    path: z.string({ error: "path must be non-empty" }).min(1, "path must be non-empty").describe("The file."),
    append: z.boolean().default(false).describe("Whether the file is kept at the start; otherwise it is emptied."),
    rotation: optionalBlock(rotation, "off").describe("Begins new files by size and deletes old ones; off by default."),
    format: z
      .enum(["json", "proto"], { error: "format type is not supported" })
      .default("json")
      .describe("json: one line of OTLP/JSON for every batch; proto: OTLP messages behind their length."),
    compression: z
      .enum(["", "none", "zstd"], { error: "compression is not supported" })
      .default("")
      .describe("zstd: every batch is compressed by itself and stands behind its length."),
    compression_params: z
      .strictObject({ level: z.int().min(0).max(22).default(0).describe("1, 3, 6 or 11; 0: 3.") })
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
      .regex(/^[0-7]{3,4}$/, "directory_permissions must be octal, such as 0755")
      .optional()
      .describe("Mode of folders that are made; 0755 when not given."),
    group_by: groupBy,
    encoding: unsupported("encoding", "Extension that encodes batches."),
  })
  .check(
    acrossFields((settings, context) => {
      const refuse = (key: string, message: string) => context.addIssue({ code: "custom", path: [key], message });
      if (settings.append && settings.rotation !== undefined) {
        refuse("append", "append and rotation enabled at the same time is not supported");
      }
      if (settings.append && settings.compression === "zstd") {
        refuse("append", "append and compression enabled at the same time is not supported");
      }
      if (settings.directory_permissions !== undefined && !settings.create_directory) {
        refuse("directory_permissions", "directory_permissions requires create_directory to be true");
      }
    }),
  );

export type Config = z.output<typeof config>;
