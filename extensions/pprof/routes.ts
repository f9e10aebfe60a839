import type { IncomingMessage, ServerResponse } from "node:http";
import { messageOf } from "../../pipeline/error_text.ts";
import type { Clock, Timer } from "../../pipeline/host.ts";
import { Busy, type ProcessProfiler } from "./profiler.ts";

const prefix = "/debug/pprof/";

/** What Go serves there and Node does not have. */
const absent: Readonly<Record<string, string>> = {
  goroutine: "Node.js has no goroutines: take a CPU profile to see what runs",
  threadcreate: "Node.js creates no threads for what it runs",
  block: "nothing blocks in Node.js: take a CPU profile to see what holds others up",
  mutex: "there are no locks to wait for",
  symbol: "profiles hold their symbols",
  trace: "there is no execution trace: take a CPU profile",
};

const served: Readonly<Record<string, string>> = {
  allocs: "Everything allocated for as many seconds as asked for (5), also what was freed again.",
  cmdline: "The command line of this process.",
  heap: "What is alive of what was allocated since the extension started.",
  profile: "CPU, for as many seconds as asked for (30). Read it with: go tool pprof FILE",
};

/** Answers as Go's `net/http/pprof` does, as far as Node can. */
export class PprofRoutes {
  readonly #profiler: ProcessProfiler;
  readonly #clock: Clock;
  readonly #waits = new Map<Timer, () => void>();

  constructor(profiler: ProcessProfiler, clock: Clock) {
    this.#profiler = profiler;
    this.#clock = clock;
  }

  /** Ends what requests wait for. */
  stop(): void {
    for (const [timer, done] of this.#waits) {
      this.#clock.clearTimer(timer);
      done();
    }
    this.#waits.clear();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/debug/pprof") {
      response.writeHead(301, { location: prefix }).end();
      return;
    }
    const name = pathname.startsWith(prefix) ? pathname.slice(prefix.length) : undefined;
    try {
      await this.#serve(name, Number(searchParams.get("seconds") ?? 0), response);
    } catch (error) {
      text(response, 500, messageOf(error), error instanceof Busy);
    }
  }

  async #serve(name: string | undefined, seconds: number, response: ServerResponse): Promise<void> {
    switch (name) {
      case "":
        response.writeHead(200, { "content-type": "text/html; charset=utf-8", ...noSniff }).end(indexPage());
        return;
      case "cmdline":
        text(response, 200, process.argv.join("\0"));
        return;
      case "profile":
        await this.#profiler.startCpu();
        await this.#wait(seconds > 0 ? seconds : 30, response);
        file(response, "profile", await this.#profiler.stopCpu());
        return;
      case "heap":
        file(response, "heap", await this.#profiler.heap());
        return;
      case "allocs":
        file(response, "allocs", await this.#profiler.allocations(this.#wait(seconds > 0 ? seconds : 5, response)));
        return;
      default: {
        const reason = name === undefined ? undefined : absent[name];
        if (reason === undefined) text(response, 404, "404 page not found");
        else text(response, 501, `${name} is not there: ${reason}.`, true);
      }
    }
  }

  /** Resolves after `seconds`, or when the caller has gone away. */
  #wait(seconds: number, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#waits.delete(timer);
        this.#clock.clearTimer(timer);
        resolve();
      };
      const timer = this.#clock.setTimer(done, seconds * 1000);
      this.#waits.set(timer, done);
      response.once("close", done);
    });
  }
}

const noSniff = { "x-content-type-options": "nosniff" };

function text(response: ServerResponse, status: number, body: string, isProblem = false): void {
  const headers = { "content-type": "text/plain; charset=utf-8", ...noSniff, ...(isProblem && { "x-go-pprof": "1" }) };
  response.writeHead(status, headers).end(status === 200 ? body : `${body}\n`);
}

function file(response: ServerResponse, name: string, body: Buffer): void {
  const disposition = `attachment; filename="${name}"`;
  const headers = { "content-type": "application/octet-stream", "content-disposition": disposition, ...noSniff };
  response.writeHead(200, headers).end(body);
}

function indexPage(): string {
  const row = ([name, what]: [string, string]) => `<tr><td><a href="${name}">${name}</a></td><td>${what}</td></tr>`;
  const rows = Object.entries(served).map(row).join("\n");
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>/debug/pprof/</title></head>
<body>
<h1>/debug/pprof/</h1>
<table>
${rows}
</table>
</body>
</html>
`;
}
