import { parseDuration, type z } from "../config/schema.ts";
import type { HttpClientSettings } from "./client_settings.ts";
import type { HttpServerSettings } from "./settings.ts";

/**
 * How HTTP connections are kept between requests: what the block `keepalive` says, else the older settings beside it. As
 * in the Collector the two do not mix; here an older setting counts as written when it is not its default.
 */

type ServerKeys = Pick<HttpServerSettings, "keepalive" | "idle_timeout" | "keep_alives_enabled">;
type ClientKeys = Pick<
  HttpClientSettings,
  "keepalive" | "idle_conn_timeout" | "max_idle_conns" | "max_idle_conns_per_host" | "disable_keep_alives"
>;

/** How a server keeps connections. `idleMs` 0 is for ever. */
export function keepAliveOf({ keepalive, idle_timeout, keep_alives_enabled }: ServerKeys): {
  readonly isEnabled: boolean;
  readonly idleMs: number;
} {
  return {
    isEnabled: keepalive?.enabled ?? keep_alives_enabled,
    idleMs: keepalive?.idle_timeout ?? idle_timeout,
  };
}

/** How a client keeps connections. Counts of 0 are no limit, `idleMs` 0 is for ever. */
export function clientKeepAliveOf(settings: ClientKeys): {
  readonly isEnabled: boolean;
  readonly idleMs: number;
  readonly mostIdle: number;
} {
  const { keepalive } = settings;
  const perHost = keepalive?.max_idle_conns_per_host ?? settings.max_idle_conns_per_host;
  return {
    isEnabled: keepalive?.enabled ?? !settings.disable_keep_alives,
    idleMs: keepalive?.idle_conn_timeout ?? settings.idle_conn_timeout,
    mostIdle: perHost || (keepalive?.max_idle_conns ?? settings.max_idle_conns),
  };
}

/** For `acrossFields` on a block with `httpServerShape`, whose default for `idle_timeout` is `idle`. */
export function checkServerKeepAlive(idle: string) {
  return (settings: ServerKeys, context: z.RefinementCtx): void => {
    if (!settings.keepalive) return;
    const standard = parseDuration(idle);
    const isIdleWritten = settings.idle_timeout !== 0 && settings.idle_timeout !== standard;
    if (isIdleWritten || !settings.keep_alives_enabled) refuse(context, "Server", "idle_timeout, keep_alives_enabled");
  };
}

/** The defaults of Go's client, which `httpClientShape` has. */
const standardIdleConns = 100;
const standardIdleMs = 90_000;

/** For `acrossFields` on a block with `httpClientShape`. */
export function checkClientKeepAlive(settings: ClientKeys, context: z.RefinementCtx): void {
  if (!settings.keepalive) return;
  const { idle_conn_timeout, max_idle_conns, max_idle_conns_per_host, disable_keep_alives } = settings;
  const isWritten = [
    idle_conn_timeout !== 0 && idle_conn_timeout !== standardIdleMs,
    max_idle_conns !== 0 && max_idle_conns !== standardIdleConns,
    max_idle_conns_per_host !== 0,
    disable_keep_alives,
  ].includes(true);
  if (!isWritten) return;
  refuse(context, "Client", "idle_conn_timeout, max_idle_conns, max_idle_conns_per_host, disable_keep_alives");
}

function refuse(context: z.RefinementCtx, side: "Server" | "Client", keys: string): void {
  const where = `confighttp.${side}Config: cannot use deprecated keepalive fields (${keys})`;
  const message = `${where} alongside the 'keepalive' section; migrate to the 'keepalive' section`;
  context.addIssue({ code: "custom", message, path: ["keepalive"] });
}
