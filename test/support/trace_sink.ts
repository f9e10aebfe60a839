import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { receive } from "../../pipeline/pdata/index.ts";
import { spanNames } from "./traces.ts";

/** An OTLP/HTTP backend for traces. */
export interface TraceSink {
  readonly endpoint: string;
  /** The names of the spans it took, in order, each as often as it came. */
  readonly names: readonly string[];
  /** How often it took each. */
  readonly taken: ReadonlyMap<string, number>;
  close(): void;
}

/** Starts a backend that answers each request with `status`, and takes it with 200; `onTaken` is called then. */
export async function startTraceSink(status = () => 200, onTaken = () => {}): Promise<TraceSink> {
  const names: string[] = [];
  const taken = new Map<string, number>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => void parts.push(part));
    request.on("end", () => {
      const code = status();
      if (code === 200) {
        for (const name of spanNames(receive("traces", Buffer.concat(parts)))) {
          names.push(name);
          taken.set(name, (taken.get(name) ?? 0) + 1);
        }
        onTaken();
      }
      response.writeHead(code, { "content-type": "application/x-protobuf" }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    names,
    taken,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
