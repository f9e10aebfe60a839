import { statSync, unlinkSync } from "node:fs";
import { connect, type ListenOptions, type Server, type Socket } from "node:net";
import type { Exclusive, Host } from "../host.ts";
import { Port } from "./port.ts";

/** What a server's `endpoint` and `transport` settings say. */
export interface Address {
  readonly endpoint: string;
  readonly transport: "tcp" | "tcp4" | "tcp6" | "unix";
}

/** Servers that listen on all addresses behind one endpoint. */
export interface Listening {
  /** `127.0.0.1:4317`, `[::1]:4317`, a socket's path. */
  readonly addresses: readonly string[];
  /** Stops accepting; what is connected stays. */
  close(): void;
  /** Cuts every connection that is still open. */
  destroyConnections(): void;
}

interface Target {
  readonly host: string;
  /** One that the machine may lack: no IPv6. */
  readonly optional: boolean;
}

/** Where the ports of a server that may take the place of another one come from. */
export type PortOwner = Pick<Host, "exclusive" | "ports">;

/** Whether several threads can listen there: the kernel shares connections out for TCP alone, and a free port is one's own. */
export function canBeShared({ endpoint, transport }: Address): boolean {
  return transport !== "unix" && parseHostPort(endpoint).port !== 0;
}

/**
 * Binds `make()` once for each address of the endpoint. `localhost` is 127.0.0.1 and, where the machine has it, ::1: Node
 * alone would take ::1 only and refuse clients that dial IPv4. Port 0 gives the same free port on both. With an `owner`, a
 * server takes over the sockets of the one whose place its component takes: they listen all the time.
 * @throws {Error} in one line naming the endpoint; nothing stays bound.
 */
export async function listen(address: Address, make: () => Server, owner?: PortOwner): Promise<Listening> {
  const ports = await bindAll(address, owner);
  const sockets = new Set<Socket>();
  const tracked = () => {
    const server = make();
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    return server;
  };
  let servers: Server[];
  try {
    servers = ports.map(tracked);
  } catch (error) {
    for (const { release } of ports) await release();
    throw error;
  }
  for (const [index, { thing }] of ports.entries()) thing.attach(servers[index] as Server);
  return {
    addresses: ports.map(({ thing }) => addressOf(thing)),
    close: () => {
      for (const [index, { thing, release }] of ports.entries()) {
        thing.detach(servers[index] as Server);
        void release();
      }
    },
    destroyConnections: () => sockets.forEach((socket) => void socket.destroy()),
  };
}

/** How often another free port is tried when port 0 gave one on 127.0.0.1 that is taken on ::1. */
const portAttempts = 20;

type BoundPort = Exclusive<Port>;

async function bindAll(address: Address, owner: PortOwner | undefined): Promise<BoundPort[]> {
  if (address.transport === "unix") return [await bindPath(address, owner)];
  const { host, port } = parseHostPort(address.endpoint);
  const targets = targetsOf(host, address.transport);
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindTargets(targets, port, address, owner);
    } catch (error) {
      if (port !== 0 || attempt === portAttempts || !hasCode(error, "EADDRINUSE")) throw error;
    }
  }
}

/** Binds a socket's path, also where a process that has died left its socket behind: nobody answers there. */
async function bindPath(address: Address, owner: PortOwner | undefined): Promise<BoundPort> {
  const path = address.endpoint;
  if (path === "") throw new Error('cannot listen on "": a socket needs a path');
  try {
    return await bind({ path }, address, owner);
  } catch (error) {
    if (!hasCode(error, "EADDRINUSE") || !(await isAbandoned(path))) throw error;
    unlinkSync(path);
    return await bind({ path }, address, owner);
  }
}

/** Whether a path is a socket that nobody listens on. */
async function isAbandoned(path: string): Promise<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  return await new Promise((resolve) => {
    const probe = connect({ path });
    probe.once("error", (error) => resolve(hasCode(error, "ECONNREFUSED")));
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
  });
}

async function bindTargets(
  targets: readonly Target[],
  port: number,
  address: Address,
  owner: PortOwner | undefined,
): Promise<BoundPort[]> {
  const ports: BoundPort[] = [];
  try {
    for (const target of targets) {
      const first = ports[0]?.thing.address();
      const chosen = port === 0 && typeof first === "object" && first !== null ? first.port : port;
      const options = {
        host: target.host,
        port: chosen,
        ipv6Only: target.host === "::1",
        reusePort: owner?.ports !== undefined,
      };
      const bound = await bind(options, address, owner).catch((error: unknown) => {
        if (target.optional && hasCode(error, "EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL")) return undefined;
        throw error;
      });
      if (bound !== undefined) ports.push(bound);
      if (bound !== undefined && target.host === "::") break; // dual stack: 0.0.0.0 is included
    }
  } catch (error) {
    for (const { release } of ports) await release();
    throw error;
  }
  return ports;
}

function targetsOf(host: string, transport: Address["transport"]): Target[] {
  const wants4 = transport !== "tcp6";
  const wants6 = transport !== "tcp4";
  if (host === "localhost") {
    return [
      ...(wants4 ? [{ host: "127.0.0.1", optional: false }] : []),
      ...(wants6 ? [{ host: "::1", optional: wants4 }] : []),
    ];
  }
  if (host === "") {
    return [
      ...(wants6 ? [{ host: "::", optional: wants4 }] : []),
      ...(wants4 ? [{ host: "0.0.0.0", optional: false }] : []),
    ];
  }
  return [{ host, optional: false }];
}

async function bind(options: ListenOptions, address: Address, owner: PortOwner | undefined): Promise<BoundPort> {
  const { host, port, path } = options;
  const close = async (thing: Port) => await thing.close();
  const sameNumber = (thing: unknown) => thing instanceof Port && thing.number === port;
  const open = async (ending: readonly unknown[]) => {
    const mayGo = ending.filter(sameNumber) as Port[];
    // Another program that shares its ports would not be in the way, and get some of the connections.
    if (owner?.ports === "probed") await (await Port.bind({ ...options, reusePort: false }, mayGo)).close();
    return await Port.bind(options, mayGo);
  };
  try {
    if (owner !== undefined && port !== 0) {
      return await owner.exclusive(path ?? formatHostPort(host, port), { open, close });
    }
    const thing = await open([]);
    return { thing, release: () => close(thing) };
  } catch (cause) {
    throw listenError(address, cause as NodeJS.ErrnoException);
  }
}

const reasons = new Map<string | undefined, string>([
  ["EADDRINUSE", "address already in use"],
  ["EACCES", "permission denied"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["ENOTFOUND", "no such host"],
  ["ENOENT", "no such directory"],
]);

function listenError(address: Address, cause: NodeJS.ErrnoException): Error {
  const reason = reasons.get(cause.code) ?? cause.message;
  const error = new Error(`cannot listen on ${address.endpoint}: ${reason}`, { cause });
  return Object.assign(error, { code: cause.code });
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && "code" in error && codes.includes(String(error.code));
}

/** Splits `host:port`, `[v6]:port` or `:port`. @throws {Error} when it is none of these. */
export function parseHostPort(endpoint: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/.exec(endpoint);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65535) {
    throw new Error(`invalid endpoint ${JSON.stringify(endpoint)}: use host:port, such as localhost:4317`);
  }
  return { host: parts[1] ?? parts[2] ?? "", port };
}

/** `host:port`, with brackets where the host is IPv6. */
export function formatHostPort(host: string | undefined, port: number | undefined): string {
  if (host === undefined) return "";
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function addressOf(port: Port): string {
  const address = port.address();
  if (typeof address === "string") return address;
  return address === null ? "" : formatHostPort(address.address, address.port);
}
