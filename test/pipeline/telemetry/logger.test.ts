import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { openLogOutputs } from "../../../pipeline/telemetry/log_outputs.ts";
import { createLoggers, type LogEntry, type LoggerOptions } from "../../../pipeline/telemetry/logger.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";

function logged(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const clock = new SimulatedClock();
  const write = (text: string) => void lines.push(text);
  const loggers = createLoggers({ level: "info", encoding: "console", write, clock, ...options });
  return { lines, loggers, clock };
}

/** The simulated clock's first moment as a line has it, in whatever zone the test runs. */
const time = "(?:2026-01-01|2025-12-31)T\\d\\d:\\d\\d:00\\.000(?:Z|[+-]\\d{4})";
const resource = { "service.name": "otelpipe", "service.version": "1" };
const batch = { "otelcol.component.id": "batch/a", "otelcol.component.kind": "processor" };

/** A line without its time. */
function untimed(line: string | undefined): string {
  return (line ?? "").replace(new RegExp(`^${time}\t`), "");
}

describe("own logs", () => {
  it("are columns between tabs in the console encoding: fields as spaced JSON, the resource first", () => {
    const { lines, loggers } = logged({ resource });
    loggers(batch).warn({ items: 3, nested: { list: [1, "x"] } }, "Sender failed");
    const fields = [
      '"resource": {"service.name": "otelpipe", "service.version": "1"}',
      '"otelcol.component.id": "batch/a"',
      '"otelcol.component.kind": "processor"',
      '"items": 3',
      '"nested": {"list": [1, "x"]}',
    ];
    assert.equal(untimed(lines[0]), `warn\tprocessor/batch/a\tSender failed\t{${fields.join(", ")}}\n`);
  });

  it("have no object where there are no fields, and no caller where it is disabled", () => {
    const { lines, loggers } = logged();
    loggers({}).info({}, "Plain.");
    const without = logged({ disable_caller: true });
    without.loggers({}).info({}, "Plain.");
    assert.deepEqual(
      [lines, without.lines].map(([line]) => untimed(line)),
      ["info\totelpipe\tPlain.\n", "info\tPlain.\n"],
    );
  });

  it("are one object a line in the json encoding, with the Collector's keys in its order", () => {
    const { lines, loggers } = logged({ encoding: "json", resource, initial_fields: { b: 1, a: 2 } });
    loggers(batch).info({ level: "theirs" }, "Said.");
    const { ts, ...rest } = JSON.parse(lines[0] ?? "");
    assert.match(ts, new RegExp(`^${time}$`));
    assert.deepEqual(rest, {
      caller: "processor/batch/a",
      msg: "Said.",
      a: 2,
      b: 1,
      resource,
      ...batch,
      level: "theirs",
    });
    const keys = [...(lines[0] ?? "").matchAll(/"([a-z.]+)":/g)].map(([, key]) => key);
    assert.deepEqual(keys.slice(0, 7), ["level", "ts", "caller", "msg", "a", "b", "resource"]);
  });

  for (const { name, options, level, has } of [
    { name: "from error on", options: {}, level: "error", has: true },
    { name: "not at warn", options: {}, level: "warn", has: false },
    { name: "at warn in development", options: { development: true }, level: "warn", has: true },
    { name: "never when they are disabled", options: { disable_stacktrace: true }, level: "error", has: false },
  ] as const) {
    it(`say where an error comes from ${name}`, () => {
      for (const encoding of ["console", "json"] as const) {
        const { lines, loggers } = logged({ ...options, encoding });
        loggers({})[level]({ error: new Error("refused\nby them") }, "Failed.");
        const stack = encoding === "json" ? JSON.parse(lines[0] ?? "").stacktrace : lines[0]?.split("\n")[1];
        assert.equal(/^at .*logger\.test\.ts/.test(stack ?? ""), has, lines[0]);
      }
    });
  }

  it("lose at most the fields that JSON cannot hold, never the message", () => {
    const { lines, loggers } = logged();
    const circle: { self?: object } = {};
    circle.self = circle;
    loggers({}).error({ error: circle }, "Thrown by who knows whom.");
    loggers({}).info({ at: 1n, missing: undefined }, "Large.");
    assert.equal(untimed(lines[0]), "error\totelpipe\tThrown by who knows whom.\n");
    assert.equal(untimed(lines[1]), 'info\totelpipe\tLarge.\t{"at": "1"}\n');
  });

  it("leave out what is under the level, and all there is when only fatal ones are wanted", () => {
    const { lines, loggers } = logged();
    loggers({}).debug({}, "Detail.");
    const fatal = logged({ level: "fatal" });
    fatal.loggers({}).error({}, "Failed.");
    assert.deepEqual([...lines, ...fatal.lines], []);
  });

  it("write a line that repeats a few times in each tick, then now and then; other lines are not affected", () => {
    const sampling = { enabled: true, tick: 1000, initial: 2, thereafter: 3 };
    const { lines, loggers, clock } = logged({ sampling });
    const say = (times: number) => {
      for (let count = 0; count < times; count++) loggers({}).info({ count }, "Again.");
    };
    say(8);
    loggers({}).warn({}, "Again.");
    assert.deepEqual(
      lines.map((line) => untimed(line).replace(/.*Again\.\t?|\n/g, "")),
      ['{"count": 0}', '{"count": 1}', '{"count": 4}', '{"count": 7}', ""],
    );
    clock.advance(1000);
    say(1);
    assert.equal(lines.length, 6);
    const none = logged({ sampling: { ...sampling, thereafter: 0 } });
    for (let count = 0; count < 9; count++) none.loggers({}).info({}, "Again.");
    assert.equal(none.lines.length, 2);
  });

  it("go on as values to whoever wants them", () => {
    const entries: LogEntry[] = [];
    const { loggers } = logged({ resource, also: (entry) => void entries.push(entry) });
    loggers(batch).warn({ items: 3 }, "Sender failed");
    loggers(batch).debug({}, "Detail.");
    const unixMs = Date.UTC(2026, 0, 1);
    assert.deepEqual(entries, [
      { level: "warn", unixMs, message: "Sender failed", component: batch, fields: { items: 3 } },
    ]);
  });

  it("go to every file that is named, by path or URL", async () => {
    const folder = await mkdtemp(join(tmpdir(), "logs-"));
    try {
      const [first, second] = [join(folder, "a.log"), join(folder, "b.log")];
      const write = openLogOutputs([first, pathToFileURL(second).href], ["stderr"]);
      write("one\n");
      write("two\n");
      for (const path of [first, second]) assert.equal(await readFile(path, "utf8"), "one\ntwo\n");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("need files that can be opened", () => {
    for (const [path, reason] of [
      ["/nonexistent/folder/a.log", /^Error: failed to create logger: open sink "\/nonexistent.*ENOENT/],
      ["http://example.com/log", /no sink found for scheme "http"/],
    ] as const) {
      assert.throws(() => openLogOutputs([path], ["stderr"]), reason);
    }
  });
});
