import { statSync } from "node:fs";
import { acrossFields, duration, z } from "../../pipeline/config/schema.ts";

const ignored = "Accepted and not needed: by itself the directory takes no more than twice what waits, and 32 MiB.";

const compaction = z
  .strictObject({
    on_start: z.boolean().default(false).describe(ignored),
    on_rebound: z.boolean().default(false).describe(ignored),
    directory: z.string().default("/var/lib/otelcol/file_storage").describe(ignored),
    rebound_needed_threshold_mib: z.int().default(100).describe(ignored),
    rebound_trigger_threshold_mib: z.int().default(10).describe(ignored),
    max_transaction_size: z
      .int()
      .min(0, { error: "max transaction size for compaction cannot be less than 0" })
      .default(65536)
      .describe(ignored),
    check_interval: duration().prefault("5s").describe(ignored),
    cleanup_on_start: z.boolean().default(false).describe(ignored),
  })
  .prefault({})
  .describe("How the Collector makes its files smaller.");

/** The settings of `file_storage`, as contrib's; the files are ours. */
export const config = z
  .strictObject({
    directory: z
      .string()
      .default("/var/lib/otelcol/file_storage")
      .describe("Where the files are. Only one process at a time uses it."),
    timeout: duration().prefault("1s").describe("How long to wait for another process to leave the directory."),
    fsync: z
      .boolean()
      .default(true)
      .describe(
        "Whether data survives a power loss before it is answered for; when off, only a crash of the process. The Collector's default is false.",
      ),
    create_directory: z.boolean().default(false).describe("Whether a missing directory is made."),
    directory_permissions: z
      .string()
      .regex(/^0?[0-7]{1,4}$/, { error: "directory_permissions value must be a valid octal representation" })
      .default("0750")
      .describe("Permissions of a directory that is made, in octal."),
    recreate: z
      .boolean()
      .default(false)
      .describe("Accepted and not needed: damage never keeps otelpipe from starting."),
    compaction,
  })
  .check(
    acrossFields(({ directory, create_directory }, context) => {
      const message = create_directory ? undefined : problemOf(directory);
      if (message !== undefined) context.addIssue({ code: "custom", message, path: ["directory"] });
    }),
  );

export type FileStorageConfig = z.output<typeof config>;

/** Why a directory cannot be used; undefined when nothing speaks against it. The Collector checks it at the same time. */
function problemOf(directory: string): string | undefined {
  try {
    return statSync(directory).isDirectory() ? undefined : `${directory} is not a directory`;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") return `problem accessing configured directory: ${message}`;
    return `directory must exist: ${message}. You can enable the create_directory option to automatically create it`;
  }
}
