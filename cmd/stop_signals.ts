/** Ctrl-C reaches every process of a terminal, and npm passes it on as well: what comes this soon is the same one. */
const sameSignalMs = 1_000;

/**
 * Calls `stop` on the first SIGINT or SIGTERM; one that comes later than a second after it ends the process at once, exit
 * code 130. Returns how to stop listening.
 */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): () => void {
  let firstAtMs: number | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (firstAtMs === undefined) {
      firstAtMs = nowMs;
      stop(signal);
    } else if (nowMs - firstAtMs > sameSignalMs) {
      process.exit(130);
    }
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
