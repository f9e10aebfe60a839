import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findGpus, type GpuFindings, type Machine } from "../../cmd/gpu_machine.ts";
import { type AskedEngine, gpuReport, type Trial } from "../../cmd/gpu_report.ts";
import { aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import { otelpipe } from "./cli.ts";

const allFields = "--query-gpu=index,name,driver_version,memory.total,memory.free,compute_cap";
const fewFields = "--query-gpu=index,name,driver_version,memory.total,memory.free";
const kaggle = `0, Tesla T4, 560.35.03, 15360, 1201, 7.5
1, Tesla T4, 560.35.03, 15360, 15101, 7.5
`;
/** Release 550's file, and its open module's. */
const driverFile =
  "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\nGCC version:\n";
const openDriverFile =
  "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build  (root@host)\nGCC version:\n";

interface Has {
  /** What `nvidia-smi` prints for a question; exit code 0 unless said. */
  readonly smi?: Readonly<Record<string, string | { readonly code: number; readonly output: string }>>;
  readonly files?: Readonly<Record<string, string>>;
}

function machine({ smi, files = {} }: Has): Machine {
  const under = (folder: string) =>
    Object.keys(files).flatMap((path) => (path.startsWith(`${folder}/`) ? [path.slice(folder.length + 1)] : []));
  return {
    run(program, [question = ""]) {
      assert.equal(program, "nvidia-smi");
      if (smi === undefined) return undefined;
      const answer = smi[question] ?? { code: 2, output: `Field is not a valid field to query.\n` };
      return typeof answer === "string" ? { code: 0, output: answer } : answer;
    },
    read: (path) => files[path],
    list: (folder) => [...new Set(under(folder).map((path) => path.split("/")[0] ?? ""))],
    exists: (path) => path in files,
  };
}

const display = (slot: string, deviceClass = "0x030200\n") => ({
  [`/sys/bus/pci/devices/${slot}/vendor`]: "0x10de\n",
  [`/sys/bus/pci/devices/${slot}/class`]: deviceClass,
});
const reachable = { "/dev/nvidiactl": "" };
const nothing: GpuFindings = { driver: undefined, gpus: [], onBus: 0, isReachable: false, complaint: undefined };

describe("what a machine has of NVIDIA's", () => {
  for (const [name, has, want] of [
    ["nothing", {}, nothing],
    ["a card of another maker", { files: { "/sys/bus/pci/devices/0/vendor": "0x1002\n" } }, nothing],
    [
      "a card without a driver, and the card's sound",
      { files: { ...display("0000:01:00.0"), ...display("0000:01:00.1", "0x040300\n") } },
      { ...nothing, onBus: 1 },
    ],
    [
      "two T4",
      { smi: { [allFields]: kaggle }, files: { ...reachable, ...display("0:4"), ...display("0:5") } },
      {
        driver: "560.35.03",
        gpus: [
          { index: 0, name: "Tesla T4", totalMib: 15360, freeMib: 1201, computeCapability: "7.5" },
          { index: 1, name: "Tesla T4", totalMib: 15360, freeMib: 15101, computeCapability: "7.5" },
        ],
        onBus: 2,
        isReachable: true,
        complaint: undefined,
      },
    ],
    [
      "an nvidia-smi too old for compute_cap, and a GPU without memory of its own",
      { smi: { [fewFields]: "0, NVIDIA GB10, 580.95.05, [N/A], [N/A]\n" }, files: reachable },
      {
        ...nothing,
        driver: "580.95.05",
        gpus: [
          { index: 0, name: "NVIDIA GB10", totalMib: undefined, freeMib: undefined, computeCapability: undefined },
        ],
        isReachable: true,
      },
    ],
    [
      "a driver without nvidia-smi",
      {
        files: {
          ...reachable,
          "/proc/driver/nvidia/version": driverFile,
          "/proc/driver/nvidia/gpus/0000:00:04.0/information": "Model: \t\t Tesla T4\nIRQ:   \t\t 11\n",
        },
      },
      { ...nothing, driver: "550.54.15", gpus: [{ index: 0, name: "Tesla T4" }], isReachable: true },
    ],
    [
      "a driver that is not the one nvidia-smi belongs to",
      {
        smi: {
          [allFields]: { code: 18, output: "Failed to initialize NVML: Driver/library version mismatch\n" },
          [fewFields]: { code: 18, output: "Failed to initialize NVML: Driver/library version mismatch\n" },
        },
        files: { ...reachable, "/proc/driver/nvidia/version": openDriverFile },
      },
      {
        ...nothing,
        driver: "570.86.10",
        isReachable: true,
        complaint: "Failed to initialize NVML: Driver/library version mismatch",
      },
    ],
  ] satisfies readonly (readonly [string, Has, GpuFindings])[])
    it(`is ${name}`, () => assert.deepEqual(findGpus(machine(has)), want));
});

/** What a config asks for, and what came of it. */
function asked(engine: object | string, worker: AskedEngine["worker"], trial: Trial): AskedEngine {
  const { engine: settings } = aggregateSettings(aggregateConfig.parse({ engine }));
  return { component: undefined, settings, worker, trial, others: [] };
}

const twoT4 = findGpus(machine({ smi: { [allFields]: kaggle }, files: reachable }));
const none: Trial = { kind: "none" };
const noModule = "no cudf, so pandas: ModuleNotFoundError: No module named 'cudf'";
const onPandas: Trial = { kind: "answered", library: "pandas 3.0.6", device: null, log: noModule };
const onGpu: Trial = { kind: "answered", library: "cudf 26.10.2", device: "Tesla T4", log: "" };
const onNode: Trial = { ...onGpu, library: "node-rapids 22.12.1" };
const noPyarrow: Trial = {
  kind: "failed",
  code: "died",
  message: "it ended with 1 before it said hello",
  log: "Traceback (most recent call last):\nModuleNotFoundError: No module named 'pyarrow'",
};
const noPython: Trial = { kind: "failed", code: "cannot_start", message: "spawn python3 ENOENT", log: "" };
const noCudfModule: Trial = {
  kind: "failed",
  code: "died",
  message: "it ended with 1 before it said hello",
  log: "node:internal\nError: Cannot find module '@rapidsai/cudf'\n    at here\nNode.js v24",
};
const badCuda: Trial = { ...onPandas, log: "no cudf, so pandas: RuntimeError: cudaErrorInsufficientDriver" };

describe("otelpipe gpu check", () => {
  for (const [name, findings, engine, want] of [
    [
      "no GPU",
      nothing,
      asked("auto", undefined, none),
      `There is no NVIDIA GPU.
engine auto: cpu computes, because there is no driver of a GPU.
  Next: nothing to install, there is no GPU; cpu computes the same numbers.
`,
    ],
    [
      "no driver",
      { ...nothing, onBus: 2 },
      asked("auto", undefined, none),
      `There is no NVIDIA driver for 2 NVIDIA GPUs.
engine auto: cpu computes, because there is no driver of a GPU.
  Next: install NVIDIA's driver, 535 or later.
`,
    ],
    [
      "everything",
      twoT4,
      { ...asked({ type: "auto", device: 1 }, "rapids", onGpu), component: "aggregate/gpu" },
      `NVIDIA driver 560.35.03, 2 GPUs.
  GPU 0: Tesla T4, 15360 MiB, 1201 MiB free, compute capability 7.5
  GPU 1: Tesla T4, 15360 MiB, 15101 MiB free, compute capability 7.5
aggregate/gpu: engine auto, device 1: rapids computes (cudf 26.10.2, Tesla T4).
`,
    ],
    [
      "a node_rapids that works where rapids does not",
      { ...nothing, driver: "560.35.03" },
      { ...asked("auto", "node_rapids", onNode), others: [{ worker: "rapids", trial: noPython }] },
      `NVIDIA driver 560.35.03, 0 GPUs.
engine auto: node_rapids computes (node-rapids 22.12.1, Tesla T4), because rapids does not start: spawn python3 ENOENT.
`,
    ],
    [
      "a config that wants cpu",
      nothing,
      asked("cpu", undefined, none),
      "There is no NVIDIA GPU.\nengine cpu: cpu computes.\n",
    ],
  ] as const)
    it(`says all there is to say with ${name}`, () => assert.equal(gpuReport(findings, [engine]), want));

  for (const [findings, engine, chosen, next] of [
    [nothing, asked("rapids", "rapids", onPandas), "rapids computes, on the CPU (pandas 3.0.6).", /nothing to install/],
    [
      twoT4,
      asked("auto", "rapids", onPandas),
      "cpu computes, because rapids found no GPU (pandas 3.0.6).",
      /cudf-cu12$/,
    ],
    [{ ...twoT4, driver: "580.65.06" }, asked("auto", "rapids", onPandas), "cpu computes", /cudf-cu13$/],
    [
      twoT4,
      asked("auto", "rapids", noPyarrow),
      "cpu computes, because rapids does not start: it ended with 1 before it said hello",
      /install cuDF: python3 -m pip install cudf-cu12$/,
    ],
    [
      twoT4,
      { ...asked("auto", "rapids", onPandas), others: [{ worker: "node_rapids", trial: noCudfModule }] },
      "because rapids found no GPU (pandas 3.0.6); node_rapids does not start: it ended with 1 before it said hello.",
      /cudf-cu12$/,
    ],
    [twoT4, asked("auto", "rapids", noPython), "spawn python3 ENOENT", /install Python 3\.11 .*\(now python3\)/],
    [twoT4, asked("auto", "rapids", badCuda), "cpu computes", /see why cuDF .*cudaErrorInsufficientDriver$/],
    [twoT4, asked({ type: "auto", device: 2 }, "rapids", onPandas), "device 2: cpu", /another device.*no GPU 2\.$/],
    [{ ...twoT4, isReachable: false }, asked("auto", "rapids", onPandas), "cpu computes", /docker run --gpus all/],
    [{ ...twoT4, driver: "470.256.02" }, asked("auto", "rapids", onPandas), "cpu", /update .*470\.256\.02 to 535/],
    [
      { ...nothing, driver: "570.86.10", isReachable: true, complaint: "Driver/library version mismatch" },
      asked("auto", "rapids", onPandas),
      "cpu computes",
      /repair NVIDIA's driver: Driver\/library version mismatch$/,
    ],
    [
      { ...twoT4, gpus: [{ index: 0, name: "Tesla P100", computeCapability: "6.0" }] },
      asked("auto", "rapids", badCuda),
      "cpu computes",
      /capability 7\.0 or later/,
    ],
    [
      twoT4,
      asked("node_rapids", "node_rapids", noCudfModule),
      "node_rapids does not start",
      /npm install @rapidsai\/cudf$/,
    ],
    [
      twoT4,
      asked("node_rapids", "node_rapids", { ...noCudfModule, log: "Error: libnvidia-ml.so.1: cannot open\n  at x" }),
      "node_rapids does not start",
      /Error: libnvidia-ml\.so\.1: cannot open$/,
    ],
  ] as const) {
    const { type, device } = engine.settings;
    it(`advises on ${type} ${device ?? ""} with ${JSON.stringify(findings.driver)}: ${next.source}`, () => {
      const lines = gpuReport(findings, [engine]).trimEnd().split("\n");
      assert.ok(lines.at(-2)?.includes(chosen), lines.at(-2));
      assert.match(lines.at(-1) ?? "", /^ {2}Next: /);
      assert.match(lines.at(-1) ?? "", next);
    });
  }

  it("starts the worker that a config asks for", async () => {
    const engine = "{ type: rapids, python: /nowhere/python3 }";
    const yaml = `{receivers: {otlp: {protocols: {http: }}}, exporters: {nop: }, processors: {aggregate: {engine: ${engine}}},
      service: {pipelines: {traces: {receivers: [otlp], processors: [aggregate], exporters: [nop]}}}}`;
    const { code, stdout, stderr } = await otelpipe(["gpu", "check", "--config", `yaml:${yaml}`]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^aggregate: engine rapids: cpu computes, because rapids does not start: .*ENOENT\.$/m);
  });

  it("names its only command", async () => {
    assert.match((await otelpipe(["gpu"])).stderr, /gpu needs check/);
    assert.match((await otelpipe(["gpu", "chek"])).stderr, /unknown gpu command chek, did you mean check\?/);
  });
});
