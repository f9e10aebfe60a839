import { demoAccount, GraphistryServer, type ServerOptions } from "../../support/graphistry_server/server.ts";
import { open } from "./support.ts";

const cleanups: (() => Promise<unknown>)[] = [];

/** Ends what `start` started: for `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

export const byPassword = { username: demoAccount.username, password: demoAccount.password };
export const byKey = { personal_key_id: "KEY1", personal_key_secret: demoAccount.keys["KEY1"] };

export const someSpans = [{ id: 1 }, { id: 2, parent: 1, status: 2 }];

/** A server, and an exporter that uploads to it. */
export async function start(options: ServerOptions = {}, config: object = byPassword) {
  const server = await GraphistryServer.start(options);
  cleanups.push(() => server.stop());
  const exporter = await open({ server: server.url, ...config });
  cleanups.push(() => exporter.exporter.stop());
  return { server, ...exporter };
}
