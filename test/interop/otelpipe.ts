import { join } from "node:path";
import { Daemon, type Stopped } from "../support/daemon.ts";
import { type CollectorPorts, receiveToFile } from "./peers/collector.ts";
import { freePorts, runFolder } from "./peers/server.ts";

/** A running otelpipe that was started as the Collector peer is, with the same configuration. */
export interface Otelpipe extends CollectorPorts {
  readonly daemon: Daemon;
  readonly outputFile: string;
  /** Stops it; its books must balance with nothing held. Safe to call twice. */
  stop(): Promise<Stopped>;
}

/** Starts otelpipe and waits until it is ready; see `start` of the Collector peer. */
export async function startOtelpipe(
  config: (ports: CollectorPorts, outputFile: string) => string = receiveToFile,
  environment: Readonly<Record<string, string>> = {},
): Promise<Otelpipe> {
  const [grpcPort = 0, httpPort = 0, healthPort = 0] = await freePorts(3);
  const ports = { grpcPort, httpPort, healthPort };
  const outputFile = join(await runFolder("otelpipe"), "received.jsonl");
  const daemon = await Daemon.start({ yaml: config(ports, outputFile), env: environment });
  let stopping: Promise<Stopped> | undefined;
  return {
    ...ports,
    daemon,
    outputFile,
    stop: () => {
      stopping ??= daemon.stop();
      return stopping;
    },
  };
}
