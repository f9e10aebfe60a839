import type { Progress, Truth, Workload } from "./workload.ts";

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A line about the workload once a second, rewritten in place on a terminal. */
export class ProgressLine {
  readonly #screen: Screen;
  readonly #workload: Workload;
  readonly #timer: NodeJS.Timeout;
  #last: Progress;

  constructor(screen: Screen, workload: Workload) {
    this.#screen = screen;
    this.#workload = workload;
    this.#last = workload.progress();
    this.#timer = setInterval(() => this.#show(), 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#screen.isTTY) this.#screen.write("\r\u001b[K");
  }

  #show(): void {
    const progress = this.#workload.progress();
    const text = progressText(this.#last, progress);
    this.#last = progress;
    // A line that wraps could not be written over.
    const line = text.slice(0, (this.#screen.columns ?? 80) - 1);
    this.#screen.write(this.#screen.isTTY ? `\r\u001b[K${line}` : `${text}\n`);
  }
}

/** `  12 s  1 004 spans/s  12 048 accepted, 0 refused` */
export function progressText(before: Progress, now: Progress): string {
  const seconds = now.elapsedSeconds - before.elapsedSeconds;
  const rate = seconds > 0 ? Math.round((now.accepted - before.accepted) / seconds) : 0;
  const parts = [
    `${Math.round(now.elapsedSeconds)} s`,
    `${count(rate)} spans/s`,
    `${count(now.accepted)} accepted, ${count(now.refused)} refused`,
  ];
  if (now.retries > 0) parts.push(`${count(now.retries)} retries`);
  if (now.delayedSeconds >= 1) parts.push(`${now.delayedSeconds.toFixed(1)} s behind`);
  if (now.accepted === before.accepted && now.error !== undefined) parts.push(now.error);
  return parts.join("  ");
}

/** What was sent in all, for the end. */
export function finalText(progress: Progress, truth: Truth, truthFile: string | undefined): string {
  const { requests } = truth;
  const rate = Math.round(progress.accepted / Math.max(progress.elapsedSeconds, 0.001));
  const lines = [
    `Sent ${count(progress.sent)} spans in ${progress.elapsedSeconds.toFixed(1)} s (${count(rate)}/s): ` +
      `${count(progress.accepted)} accepted, ${count(progress.refused)} refused.`,
    `${count(requests.requests)} requests to models, ${count(requests.failed)} failed; ` +
      `${count(requests.inputTokens)} input and ${count(requests.outputTokens)} output tokens.`,
  ];
  if (progress.delayedSeconds >= 1)
    lines.push(`The rate could not be kept: ${progress.delayedSeconds.toFixed(1)} s behind.`);
  if (truthFile !== undefined) lines.push(`The ground truth is in ${truthFile}.`);
  return `${lines.join("\n")}\n`;
}

/** What was refused for good, and why; undefined when nothing was. */
export function refusedText({ refused, refusedPoints, error }: Progress): string | undefined {
  const parts = [
    ...(refused > 0 ? [`${count(refused)} spans`] : []),
    ...(refusedPoints > 0 ? [`${count(refusedPoints)} metric data points (--no-metrics sends none)`] : []),
  ];
  if (parts.length === 0) return undefined;
  return `refused for good: ${parts.join(" and ")}: ${error ?? "left out of requests that were taken"}`;
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}
