import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** One GPU as the driver numbers it; what it does not tell is undefined. */
export interface Gpu {
  readonly index: number;
  readonly name: string;
  readonly totalMib?: number | undefined;
  readonly freeMib?: number | undefined;
  /** `7.5`; cuDF needs 7.0. */
  readonly computeCapability?: string | undefined;
}

/** What a machine has of NVIDIA's. */
export interface GpuFindings {
  /** The version of the driver; undefined when there is none. */
  readonly driver: string | undefined;
  readonly gpus: readonly Gpu[];
  /** Display controllers of NVIDIA's on the bus, with a driver or without. */
  readonly onBus: number;
  /** Whether this process can reach the driver: a container may have been given nothing. */
  readonly isReachable: boolean;
  /** What `nvidia-smi` says when it fails. */
  readonly complaint: string | undefined;
}

/** Where the findings come from. */
export interface Machine {
  /** The exit code and what a program printed; undefined when there is no such program. */
  run(program: string, args: readonly string[]): { readonly code: number | null; readonly output: string } | undefined;
  /** The text of a file; undefined when there is none. */
  read(path: string): string | undefined;
  /** The names in a folder; none when there is no such folder. */
  list(folder: string): readonly string[];
  exists(path: string): boolean;
}

/** This machine. */
export const thisMachine: Machine = {
  run(program, args) {
    const { error, status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
    return error !== undefined && status === null && stdout === null
      ? undefined
      : { code: status, output: `${stdout}${stderr}` };
  },
  read(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  },
  list: (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []),
  exists: existsSync,
};

/** What `nvidia-smi` is asked, the last first given up: old ones do not know `compute_cap`. */
const fields = ["index", "name", "driver_version", "memory.total", "memory.free", "compute_cap"];

/** Asks `nvidia-smi`, and the driver's own files where that is not there. */
export function findGpus(machine: Machine): GpuFindings {
  const onBus = machine.list("/sys/bus/pci/devices").filter((name) => isNvidiaDisplay(machine, name)).length;
  const isReachable = ["/dev/nvidiactl", "/dev/dxg"].some((path) => machine.exists(path));
  const answers = [fields, fields.slice(0, -1)].map((asked) =>
    machine.run("nvidia-smi", [`--query-gpu=${asked.join(",")}`, "--format=csv,noheader,nounits"]),
  );
  const good = answers.find((answer) => answer?.code === 0);
  if (good !== undefined) {
    const rows = good.output.split("\n").filter((line) => line.includes(","));
    const [first] = rows.map(cellsOf);
    return {
      driver: first?.[2] ?? driverFile(machine),
      gpus: rows.map(gpuOf),
      onBus,
      isReachable,
      complaint: undefined,
    };
  }
  const complaint = answers[0]?.output.split("\n").find((line) => line.trim() !== "");
  return { driver: driverFile(machine), gpus: gpusInFiles(machine), onBus, isReachable, complaint };
}

function isNvidiaDisplay(machine: Machine, name: string): boolean {
  const file = (what: string) => machine.read(`/sys/bus/pci/devices/${name}/${what}`)?.trim() ?? "";
  return file("vendor") === "0x10de" && file("class").startsWith("0x03");
}

function cellsOf(line: string): string[] {
  return line.split(",").map((cell) => cell.trim());
}

function gpuOf(line: string): Gpu {
  const [index, name = "", , total, free, computeCapability] = cellsOf(line);
  return { index: Number(index), name, totalMib: numberIn(total), freeMib: numberIn(free), computeCapability };
}

/** Undefined for `[N/A]`, which GPUs that share the machine's memory say. */
function numberIn(cell: string | undefined): number | undefined {
  return cell !== undefined && /^\d+$/.test(cell) ? Number(cell) : undefined;
}

/** `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 …` */
function driverFile(machine: Machine): string | undefined {
  return /\s(\d+\.\d+(?:\.\d+)?)\s/.exec(machine.read("/proc/driver/nvidia/version") ?? "")?.[1];
}

function gpusInFiles(machine: Machine): Gpu[] {
  const folder = "/proc/driver/nvidia/gpus";
  return machine.list(folder).map((name, index) => {
    const model = /^Model:\s*(.+?)\s*$/m.exec(machine.read(`${folder}/${name}/information`) ?? "")?.[1];
    return { index, name: model ?? name };
  });
}
