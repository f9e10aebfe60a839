/** What can be stopped; stopping twice is safe. */
interface Running {
  stop(): Promise<unknown>;
}

/** Registers what has been started, and gives it back. */
export type Started = <Server extends Running>(server: Server) => Server;

/** Runs `work` and then stops, last first, everything that it registered, whatever happened. */
export async function withServers<Result>(work: (started: Started) => Promise<Result>): Promise<Result> {
  const running: Running[] = [];
  const started: Started = (server) => {
    running.push(server);
    return server;
  };
  try {
    return await work(started);
  } finally {
    for (const server of running.reverse()) await server.stop();
  }
}

/** Lets a signal end the process as an exit does, so that no server outlives it. */
export function exitOnSignals(): void {
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
}
