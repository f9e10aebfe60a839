import { after } from "node:test";
import { z } from "../../../../pipeline/config/schema.ts";
import { grpcClientShape } from "../../../../pipeline/net/client_settings.ts";
import { GrpcClient } from "../../../../pipeline/net/grpc/client.ts";
import { exportPath } from "../../../../pipeline/net/otlp_paths.ts";
import { SimulatedClock } from "../../../support/simulated_host.ts";
import { surroundings } from "../servers.ts";
import { frameType, type Peer, ScriptedServer } from "./scripted_server.ts";

const path = exportPath("traces");

const cleanup: (() => void)[] = [];
after(() => {
  for (const close of cleanup.reverse()) close();
});

/** A client and the server that it connects to, with time that passes when told to. */
export async function pair(settings: object = {}) {
  const server = new ScriptedServer();
  cleanup.push(() => server.close());
  const endpoint = await server.listen();
  const clock = new SimulatedClock();
  const shape = z.strictObject(grpcClientShape({ compression: "none" }));
  const parsed = shape.parse({ endpoint, tls: { insecure: true }, ...settings });
  const client = new GrpcClient(parsed, { ...surroundings(), clock });
  cleanup.push(() => client.close());
  const send = (body: Buffer | string = "spans", options: object = {}) => client.send(path, Buffer.from(body), options);
  return { server, client, clock, send };
}

/** The next call, once its head has come: the number of its stream. */
export async function call(peer: Peer): Promise<number> {
  return (await peer.next(frameType.headers)).streamId;
}
