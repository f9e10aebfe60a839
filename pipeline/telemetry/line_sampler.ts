/** `service::telemetry::logs::sampling`; `tick` in milliseconds. */
export interface SamplingSettings {
  readonly enabled: boolean;
  readonly tick: number;
  readonly initial: number;
  readonly thereafter: number;
}

interface Count {
  untilMs: number;
  lines: number;
}

/** Messages that are remembered; with more, all are forgotten and logged anew. */
const maxMessages = 4096;

/**
 * Decides which of many equal lines are written: in each tick the first `initial` of one level and message, then every
 * `thereafter`-th. @see zap: `zapcore/sampler.go`.
 */
export class LineSampler {
  readonly #settings: SamplingSettings;
  readonly #counts = new Map<string, Count>();

  constructor(settings: SamplingSettings) {
    this.#settings = settings;
  }

  /** Counts a line and says whether it is left out. */
  drops(level: string, message: string, nowMs: number): boolean {
    const { initial, thereafter } = this.#settings;
    const over = this.#count(`${level}:${message}`, nowMs) - initial;
    return over > 0 && (thereafter <= 0 || over % thereafter !== 0);
  }

  #count(key: string, nowMs: number): number {
    let count = this.#counts.get(key);
    if (count === undefined) {
      if (this.#counts.size >= maxMessages) this.#counts.clear();
      count = { untilMs: nowMs + this.#settings.tick, lines: 0 };
      this.#counts.set(key, count);
    } else if (nowMs >= count.untilMs) {
      count.untilMs = nowMs + this.#settings.tick;
      count.lines = 0;
    }
    count.lines += 1;
    return count.lines;
  }
}
