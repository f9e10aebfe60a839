import { statSync } from "node:fs";
import { acrossFields, duration, z } from "../../pipeline/config/schema.ts";

const mebibyte = 1024 * 1024;
const standardDirectory = "/var/lib/otelcol/file_storage";
const ignored = "Accepted and not needed: by itself the directory takes no more than twice what waits, and 32 MiB.";

const compaction = z
  .strictObject({
    on_start: z.boolean().default(false).describe(ignored),
    on_rebound: z.boolean().default(false).describe(ignored),
    directory: z
      .string()
      .default(standardDirectory)
      .describe("Where cleanup_on_start looks. It must exist when on_start or on_rebound is set, as in the Collector."),
    rebound_needed_threshold_mib: z.int().default(100).describe(ignored),
    rebound_trigger_threshold_mib: z.int().default(10).describe(ignored),
    max_transaction_size: z
      .int()
      .min(0, { error: "max transaction size for compaction cannot be less than 0" })
      .default(65536)
      .describe(ignored),
    check_interval: duration().prefault("5s").describe(ignored),
    cleanup_on_start: z
      .boolean()
      .default(false)
      .describe("Whether files named tempdb* are removed that the Collector leaves when it is killed."),
  })
  .prefault({})
  .describe("How the Collector makes its files smaller.");

/** The settings of `file_storage`, as contrib's; the files are ours. */
export const config = z
  .strictObject({
    directory: z
      .string()
      .default(standardDirectory)
      .describe("Where the files are. Only one process at a time uses it."),
    timeout: duration()
      .prefault("1s")
      .describe("How long to wait for another process to leave the directory; 0 is for ever."),
    max_size: z
      .int()
      .min(0, { error: "max size cannot be less than 0" })
      .default(0)
      .describe(
        "Most bytes that wait in the queue of one exporter and signal; more is refused for now. 0 is no limit.",
      ),
    fsync: z
      .boolean()
      .default(true)
      .describe(
        "Whether data survives a power loss before it is answered for; when off, only a crash of the process. The Collector's default is false.",
      ),
    create_directory: z.boolean().default(false).describe("Whether a missing directory is made."),
    directory_permissions: z.string().default("0750").describe("Permissions of a directory that is made, in octal."),
    recreate: z
      .boolean()
      .default(false)
      .describe(
        "Whether a queue of the Collector of which nothing can be read is renamed to *.backup. Damage of our own files never needs it.",
      ),
    compaction,
  })
  .check(
    acrossFields(
      ({ directory, create_directory }, context) => {
        checkDirectory(directory, create_directory, (message) => issue(context, ["directory"], message));
      },
      ({ compaction: { on_start, on_rebound, directory }, create_directory }, context) => {
        if (!on_start && !on_rebound) return;
        checkDirectory(directory, create_directory, (message) => issue(context, ["compaction", "directory"], message));
      },
      ({ create_directory, directory_permissions }, context) => {
        const message = create_directory ? permissionsProblem(directory_permissions) : undefined;
        if (message !== undefined) issue(context, ["directory_permissions"], message);
      },
      ({ max_size, compaction: { on_rebound, ...thresholds } }, context) => {
        if (!on_rebound) return;
        for (const name of ["rebound_needed_threshold_mib", "rebound_trigger_threshold_mib"] as const) {
          if (max_size === 0 || thresholds[name] * mebibyte <= max_size) continue;
          const which = name === "rebound_needed_threshold_mib" ? "needed" : "trigger";
          issue(context, ["max_size"], `compaction rebound ${which} threshold cannot be greater than max size`);
        }
        if (thresholds.check_interval > 0) return;
        const message = "compaction check interval must be positive when rebound compaction is set";
        issue(context, ["compaction", "check_interval"], message);
      },
    ),
  );

export type FileStorageConfig = z.output<typeof config>;

function issue(context: z.RefinementCtx, path: readonly string[], message: string): void {
  context.addIssue({ code: "custom", message, path: [...path] });
}

/** Says why a directory cannot be used, if something speaks against it. The Collector checks it at the same time. */
function checkDirectory(directory: string, isMade: boolean, refuse: (message: string) => void): void {
  try {
    if (!statSync(directory).isDirectory()) refuse(`${directory} is not a directory`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") refuse(`problem accessing configured directory: ${message}`);
    else if (!isMade) {
      refuse(`directory must exist: ${message}. You can enable the create_directory option to automatically create it`);
    }
  }
}

function permissionsProblem(text: string): string | undefined {
  if (!/^[0-7]{1,10}$/.test(text)) return "directory_permissions value must be a valid octal representation";
  if (Number.parseInt(text, 8) > 0o777) return "directory_permissions contain invalid bits for file access";
  return undefined;
}
