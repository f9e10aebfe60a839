import { ConfigError, placeText } from "./config/problem.ts";
import type { ResolvedConfig } from "./config/resolved.ts";
import { pathText } from "./config/tree.ts";
import { messageOf } from "./error_text.ts";
import type { Plan } from "./graph/plan.ts";
import type { Clock, Logger, Meter } from "./host.ts";
import type { ReloadProblem, ReloadVerdict } from "./view.ts";

/** What became of every component, and whether nothing differs from before. */
export interface AppliedChange {
  readonly changes: Plan;
  readonly isSame: boolean;
}

export interface ReloaderOptions {
  /** Reads the configuration anew from where it came from. @throws {ConfigError} */
  load(): Promise<ResolvedConfig>;
  /** Makes a configuration the running one. @throws when it cannot; the old one runs on then. */
  change(config: ResolvedConfig): Promise<AppliedChange>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** Changes the configuration of a running service when asked to, and says what came of it. */
export class Reloader {
  readonly #options: ReloaderOptions;
  readonly #count: (outcome: ReloadVerdict["outcome"]) => void;
  #latest: ReloadVerdict | undefined;
  #running: Promise<ReloadVerdict> | undefined;
  #waiting: Promise<ReloadVerdict> | undefined;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    const { meter } = options;
    const description = "Attempts to change the running configuration, by outcome: applied, unchanged or refused.";
    const reloads = meter.counter("otelpipe_config_reloads", { description, unit: "{reload}" });
    this.#count = (outcome) => reloads.add(1, { outcome });
    const state = { description: "Whether the latest change of the configuration was taken.", unit: "1" };
    meter.gauge("otelpipe_config_reload_successful", state, () =>
      this.#latest === undefined ? undefined : Number(this.#latest.outcome !== "refused"),
    );
  }

  /** What came of the latest attempt. */
  get latest(): ReloadVerdict | undefined {
    return this.#latest;
  }

  /** Reads the configuration and applies it. However often it is asked for meanwhile, it is done once more afterwards. */
  request(): Promise<ReloadVerdict> {
    if (this.#running === undefined) {
      this.#running = this.#reload().finally(() => (this.#running = undefined));
      return this.#running;
    }
    this.#waiting ??= this.#running.then(() => {
      this.#waiting = undefined;
      return this.request();
    });
    return this.#waiting;
  }

  async #reload(): Promise<ReloadVerdict> {
    const { logger, clock, load, change } = this.#options;
    let verdict: Omit<ReloadVerdict, "unixMs">;
    try {
      const config = await load();
      verdict = applied(await change(config));
      for (const warning of config.warnings) logger.warn({}, warning);
      const { outcome, text, added, rebuilt, removed, kept } = verdict;
      logger.info(outcome === "applied" ? { added, rebuilt, removed, kept } : {}, text);
    } catch (error) {
      verdict = refused(error);
      logger.error({ problems: verdict.problems.map(problemText) }, verdict.text);
    }
    this.#count(verdict.outcome);
    this.#latest = { ...verdict, unixMs: clock.nowMs() };
    return this.#latest;
  }
}

function applied({ changes, isSame }: AppliedChange): Omit<ReloadVerdict, "unixMs"> {
  const those = (change: string) => [...changes].filter(([, each]) => each === change).map(([key]) => key);
  return {
    outcome: isSame ? "unchanged" : "applied",
    text: isSame
      ? "The configuration was read again; nothing changes."
      : "The configuration was changed while running.",
    added: those("add"),
    rebuilt: those("rebuild"),
    removed: those("remove"),
    kept: those("keep").length,
    problems: [],
  };
}

const refusedText = "The new configuration was refused; the old one runs on.";

function refused(error: unknown): Omit<ReloadVerdict, "unixMs"> {
  const problems: ReloadProblem[] =
    error instanceof ConfigError
      ? error.problems.map(({ place, path, message, hint }) => ({
          place: placeText(place),
          path: pathText(path),
          message,
          ...(hint !== undefined && { hint }),
        }))
      : [{ message: messageOf(error) }];
  return { outcome: "refused", text: refusedText, added: [], rebuilt: [], removed: [], kept: 0, problems };
}

/** On one line, without the source around it: that may hold secrets. */
function problemText({ place, path = "", message, hint }: ReloadProblem): string {
  const where = [place, path].filter((part) => part !== undefined && part !== "").join(": ");
  return `${where === "" ? "" : `${where}: `}${message}${hint === undefined ? "" : ` (${hint})`}`;
}
