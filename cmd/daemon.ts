/** What the daemon's bundle holds: the commands that read a configuration and build what it names. */
export { runCommand } from "./run_command.ts";
export { validate } from "./validate.ts";
