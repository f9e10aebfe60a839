import { acrossFields, duration, extensionId, stringList, z } from "../../pipeline/config/schema.ts";
import { unsupported } from "../../pipeline/net/unsupported.ts";
import { parseGlob } from "./glob.ts";
import { lineCoding } from "./lines.ts";

const units: Readonly<Record<string, number>> = {
  "": 1,
  ...Object.fromEntries(
    ["k", "m", "g", "t", "p"].flatMap((unit, index) => [
      [`${unit}b`, 1000 ** (index + 1)],
      [`${unit}ib`, 1024 ** (index + 1)],
    ]),
  ),
};

/** A size as the Collector's file readers take it: bytes, or a text such as `1MiB` or `16kb`. Its output is bytes. */
function byteSize() {
  return z.union([z.number(), z.string()]).transform((value, context) => {
    const parts = /^(\d+\.?\d*)\s*([kmgtp]i?b)?$/i.exec(String(value));
    if (parts !== null) return Math.trunc(Number(parts[1]) * (units[(parts[2] ?? "").toLowerCase()] ?? 1));
    context.addIssue({ code: "custom", message: `invalid byte size '${value}'` });
    return z.NEVER;
  });
}

function globs(name: string) {
  return stringList().superRefine((patterns: string[], context) => {
    for (const pattern of patterns) {
      try {
        parseGlob(pattern);
      } catch (error) {
        const message = `${name}: parse glob: ${JSON.stringify(pattern)}: ${(error as Error).message}`;
        context.addIssue({ code: "custom", message });
      }
    }
  });
}

const noEffect = "Accepted for compatibility; has no effect on OTLP/JSON.";
const flag = (summary: string, standard = false) => z.boolean().default(standard).describe(summary);

export const config = z
  .strictObject({
    include: globs("include")
      .prefault([])
      .describe("Files to read, as patterns: * and ? within a name, ** for folders, [a-c], {a,b}. Required."),
    exclude: globs("exclude").prefault([]).describe("Files of these that are not read, as patterns."),
    exclude_older_than: duration()
      .prefault("0s")
      .describe("Files that were not changed for so long are not read; 0: all are."),
    ordering_criteria: unsupported("ordering_criteria", "Which of many files are read."),
    start_at: z
      .enum(["beginning", "end"], { error: ({ input }) => `invalid start_at location '${String(input)}'` })
      .default("end")
      .describe("Where to begin in files that are there at the start: beginning or end. Later ones are read whole."),
    poll_interval: duration()
      .refine((milliseconds) => milliseconds > 0, { error: "'poll_interval' must be positive" })
      .prefault("200ms")
      .describe("How often to look for new files and new lines."),
    replay_file: flag("Read all files from their beginning again and again, at every poll."),
    storage: extensionId("storage extension")
      .nullish()
      .describe("Id of the extension that keeps how far each file was read."),
    fingerprint_size: byteSize()
      .refine((bytes) => bytes >= 16, { error: "'fingerprint_size' must be at least 16 bytes" })
      .prefault(1000)
      .describe("Bytes at the beginning of a file that tell it from others when it is moved."),
    initial_buffer_size: byteSize().prefault("16KiB").describe("Accepted for compatibility; has no effect."),
    max_log_size: byteSize()
      .refine((bytes) => bytes > 0, { error: "'max_log_size' must be positive" })
      .prefault("1MiB")
      .describe("Bytes of a line at most; longer ones are left out and counted."),
    max_log_size_behavior: z
      .enum(["split", "truncate"], { error: "'max_log_size_behavior' must be either 'split' or 'truncate'" })
      .default("split")
      .describe("Accepted for compatibility; has no effect: half a line is no OTLP/JSON."),
    max_concurrent_files: z
      .int()
      .min(1, { error: "'max_concurrent_files' must be positive" })
      .default(1024)
      .describe("Files that are open at a time; half as many are read at a time."),
    max_batches: z
      .int()
      .min(0, { error: "'max_batches' must not be negative" })
      .default(0)
      .describe("Times max_concurrent_files/2 that are read in one poll; 0: all files."),
    encoding: z
      .string()
      .refine((name) => lineCoding(name) !== undefined, {
        error: ({ input }) => `unsupported encoding '${String(input)}'`,
      })
      .default("utf-8")
      .describe("How the files are encoded, such as utf-8, utf-16le or big5."),
    compression: z
      .enum(["", "gzip", "auto"], { error: ({ input }) => `unsupported compression '${String(input)}'` })
      .default("")
      .describe("gzip: all files are; auto: those whose name ends in .gz."),
    force_flush_period: duration()
      .prefault("500ms")
      .describe("When a last line without newline has not grown for so long, it is read if it is complete; 0: never."),
    delete_after_read: flag("Remove files once all of their lines were taken. Needs start_at: beginning."),
    on_truncate: z
      .enum(["ignore", "read_whole_file", "read_new"], {
        error: "'on_truncate' must be one of: ignore, read_whole_file, read_new",
      })
      .default("read_whole_file")
      .describe(
        "When a file begins as before but is shorter than what was read of it: wait until it is longer, read it whole, or go on at its end.",
      ),
    polls_to_archive: z
      .int()
      .min(0)
      .default(0)
      .describe("Polls for which a file that is gone is remembered, besides three."),
    include_file_name: flag("Add log.file.name to spans, log records and the metadata of metrics.", true),
    include_file_path: flag("Add log.file.path."),
    include_file_name_resolved: flag("Add log.file.name_resolved: the name behind symbolic links."),
    include_file_path_resolved: flag("Add log.file.path_resolved: the path behind symbolic links."),
    include_file_owner_name: flag("Add log.file.owner.name."),
    include_file_owner_group_name: flag("Add log.file.owner.group.name."),
    include_file_permissions: flag("Add log.file.permissions, such as 644."),
    include_file_record_number: flag(noEffect),
    include_file_record_offset: flag(noEffect),
    preserve_leading_whitespaces: flag(noEffect),
    preserve_trailing_whitespaces: flag(noEffect),
    acquire_fs_lock: unsupported("acquire_fs_lock", "Locks files while they are read."),
    file_cache_advise: flag("Accepted for compatibility; has no effect."),
    multiline: unsupported("multiline", "How several lines make one."),
    header: unsupported("header", "Lines at the beginning of files that are no telemetry."),
  })
  .check(
    acrossFields((settings, context) => {
      const refuse = (key: string, message: string) => context.addIssue({ code: "custom", message, path: [key] });
      if (settings.include.length === 0) refuse("include", "'include' must be specified");
      if (settings.delete_after_read && settings.start_at === "end") {
        refuse("delete_after_read", "'delete_after_read' cannot be used with 'start_at: end'");
      }
      if (settings.replay_file && settings.delete_after_read) {
        refuse("replay_file", "'replay_file' cannot be used with 'delete_after_read'");
      }
    }),
  );

export type OtlpJsonFileConfig = z.output<typeof config>;
