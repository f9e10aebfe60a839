/** A command line that makes no sense. Its message is one line for a person; the exit code is 1. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
