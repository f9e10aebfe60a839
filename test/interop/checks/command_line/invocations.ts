// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
/** One command line that both programs are given, in a folder with `files`. */
export interface Invocation {
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What the text of both must contain, on the stream where it is expected; nothing may stand on the other one. */
  readonly says?: RegExp;
  /** Sent once the program runs; without it the program must end by itself. */
  readonly signal?: NodeJS.Signals;
  /** Why the two differ on purpose. */
  readonly difference?: string;
}

const good = `receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:0" } } } }
processors: { batch: { timeout: 1s } }
exporters: { otlp_grpc: { endpoint: "localhost:1", headers: { x-key: s3cret }, tls: { insecure: true } }, debug: }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [debug] } }
`;

/** The files that the invocations name. */
export const files: Readonly<Record<string, string>> = {
  "good.yaml": good,
  "bad.yaml": good.replace("timeout", "timout"),
  "broken.yaml": "a: [1\n",
  "list.yaml": "- a\n",
  "text.yaml": "just words\n",
  "twice.yaml": `${good}processors:\n`,
  "empty.yaml": "",
  "more.yaml": "processors: { batch: { send_batch_size: 5 } }\n",
  "undo.yaml": "processors:\n",
  "no_pipelines.yaml": "service: { pipelines: null }\n",
  "lists.yaml": "service: { pipelines: { traces: { exporters: [otlp_grpc] } } }\n",
  "part.yaml": "{ timeout: 3s }\n",
  "reference.yaml": 'processors: { batch: "${file:part.yaml}" }\n',
  "profiles.yaml": "service: { pipelines: { profiles: { receivers: [otlp], exporters: [debug] } } }\n",
};

const validate = (...args: string[]) => ["validate", ...args];
const set = (...texts: string[]) => validate("--config=good.yaml", ...texts.flatMap((text) => ["--set", text]));
const gate = (list: string) => validate("--config=good.yaml", "--feature-gates", list);

const usage: readonly Invocation[] = [
  { args: [], says: /at least one config flag must be provided/ },
  { args: ["--version"], says: /version \d+\.\d+\.\d+/ },
  { args: ["-v"], says: /version \d+\.\d+\.\d+/ },
  { args: ["--config", "good.yaml", "--version"], says: /version \d/ },
  { args: ["--help"], says: /Usage:(?=[\s\S]*--config)(?=[\s\S]*--feature-gates)(?=[\s\S]*--set)/ },
  { args: ["help"], says: /print-config/ },
  { args: validate("--help"), says: /Usage:\n.* validate .*/ },
  { args: ["help", "print-config"], says: /Usage:\n.* print-config .*/ },
  {
    args: ["help", "nope"],
    says: /nope/,
    difference: "A topic that does not exist is a mistake like any other: exit code 1.",
  },
  { args: ["validat"], says: /unknown command[\s\S]*validate/ },
  { args: ["good.yaml"], says: /unknown command.*good\.yaml/ },
  { args: ["--config", "good.yaml", "more"], says: /unknown command.*more/ },
  { args: ["--confg", "good.yaml"], says: /unknown flag.*--confg/ },
  { args: ["-config", "good.yaml"], says: /unknown.* flag.*-config/ },
  { args: ["--config"], says: /flag needs an argument: --config/ },
  { args: validate(), says: /at least one config flag must be provided/ },
  { args: validate("good.yaml"), says: /^Error: / },
  { args: ["components", "--config", "x"], says: /unknown flag.*--config/ },
  { args: ["featuregate"], says: /^ID +Enabled +Stage +Description\n[\s\S]*service\.profilesSupport +false +Alpha/ },
  {
    args: ["featuregate", "ottl.PanicDuplicateName"],
    says: /Enabled: true\nStage: Stable\n[\s\S]*To Version: v0\.161\.0/,
  },
  { args: ["featuregate", "nope"], says: /feature "nope" not found/ },
  { args: ["featuregate", "a", "b"], says: /^Error: / },
];

const sources: readonly Invocation[] = [
  { args: validate("--config", "good.yaml") },
  { args: ["--config", "good.yaml", "validate"] },
  { args: validate("--config=file:./good.yaml") },
  { args: validate("--config", "gone.yaml"), says: /gone\.yaml.*no such file/ },
  { args: ["--config", "gone.yaml"], says: /gone\.yaml.*no such file/ },
  { args: validate("--config", "."), says: /is a directory/ },
  { args: validate("--config", "good.yaml,more.yaml"), says: /good\.yaml,more\.yaml.*no such file/ },
  { args: validate("--config", "x:good.yaml"), says: /x:good\.yaml.*no such file/ },
  { args: validate("--config", "s3:bucket"), says: /s3/ },
  { args: validate("--config", "FILE:good.yaml"), says: /FILE/ },
  { args: validate("--config", "1x:good.yaml"), says: /invalid ur[iI].*1x:good\.yaml/i },
  { args: validate("--config", "broken.yaml"), says: /YAML/ },
  { args: validate("--config", "list.yaml"), says: /^[\s\S]*Error: / },
  { args: validate("--config", "text.yaml"), says: /^[\s\S]*Error: / },
  { args: validate("--config", "twice.yaml"), says: /processors/ },
  { args: validate("--config", "bad.yaml"), says: /timout/ },
  { args: ["--config", "bad.yaml"], says: /timout/ },
  { args: validate("--config", "empty.yaml"), says: /empty configuration file/ },
  { args: validate("--config", "empty.yaml", "--config", "good.yaml") },
  { args: validate("--config", "env:CONFIG"), environment: { CONFIG: good } },
  { args: validate("--config", "env:CONFIG"), environment: { CONFIG: "a: [1" }, says: /YAML/ },
  { args: validate("--config", "env:GONE"), says: /empty configuration file/ },
  {
    args: validate("--config", "good.yaml", "--config", "env:GONE"),
    difference: "A variable that is not set is named on stderr; `validate` of the Collector says nothing.",
  },
  { args: validate("--config", "env:a-b"), says: /invalid name/ },
  { args: validate("--config", "env:GONE:-a: 1"), says: /\ba\b/ },
  { args: validate("--config", "good.yaml", "--config", "yaml:processors::batch::timeout: 2s") },
  { args: validate("--config", "yaml:text"), says: /^[\s\S]*Error: / },
  { args: validate("--config", "good.yaml", "--config", "reference.yaml") },
  {
    args: validate("--config", "good.yaml", "--config", 'yaml:processors: "${nope:x}"'),
    says: /scheme "nope" is not supported/,
  },
  {
    args: validate("--config", "good.yaml", "--config", "undo.yaml"),
    says: /processor "batch" which is not configured/,
  },
];

const settings: readonly Invocation[] = [
  { args: set("processors.batch.timeout=2s") },
  { args: set("processors::batch::timeout = 2s ") },
  { args: set("processors.batch.timeout=") },
  { args: set("processors.batch={timeout: 2s}") },
  { args: set("processors.batch.timeout=soon"), says: /timeout.*invalid duration/ },
  { args: set("processors.batch.send_batch_size=two"), says: /send_batch_size/ },
  { args: set("processors.batch=5"), says: /batch/ },
  { args: set("processors.batch.timeout=[1"), says: /YAML/ },
  { args: set("key:value"), says: /missing equal sign/ },
  { args: validate("--set", "a=b"), says: /\ba\b/ },
  { args: set("processors.batch.timout=1s"), says: /timout/ },
  { args: set("service.pipelines=null"), says: /service must have at least one pipeline/ },
  { args: set("exporters.otlp_grpc.endpoint="), says: /endpoint/ },
  { args: gate("nope"), says: /feature gate "?nope/ },
  { args: gate("service.profilesSupport,+confmap.enableMergeAppendOption") },
  { args: gate("-ottl.set.allowNil") },
  { args: gate("") },
  { args: gate("ottl.set.allowNil,,"), says: /empty feature gate identifier at index 1/ },
  {
    args: gate("-ottl.PanicDuplicateName"),
    says: /feature gate "ottl\.PanicDuplicateName" is stable, can not be disabled/,
  },
  { args: gate("ottl.PanicDuplicateName"), says: /Feature gate "ottl\.PanicDuplicateName" is stable and .*0\.161\.0/ },
  {
    args: validate("--config", "no_pipelines.yaml", "--config", "yaml:processors: {batch: }"),
    says: /no receiver configuration/,
  },
  {
    args: validate("--config", "yaml:processors: {batch: }", "--feature-gates", "service.AllowNoPipelines"),
  },
  {
    args: validate("--config", "good.yaml", "--config", "profiles.yaml"),
    says: /service\.profilesSupport/,
    difference: "Profiles need no feature gate, except with `--strict-compat`.",
  },
  {
    args: validate("--config", "good.yaml", "--config", "profiles.yaml", "--feature-gates", "service.profilesSupport"),
  },
];

const printing: readonly Invocation[] = [
  { args: ["print-config", "--config", "bad.yaml"], says: /timout/ },
  {
    args: ["print-config", "--config", "good.yaml", "--mode", "x"],
    says: /invalid mode "x": modes are: redacted, unredacted/,
  },
  { args: ["print-config", "--config", "good.yaml", "--format", "xml"], says: /unrecognized print format: xml/ },
  { args: ["print-config", "--mode", "x"], says: /at least one config flag must be provided/ },
  { args: ["print-config", "--config", "good.yaml", "--validate=maybe"], says: /"maybe" for "?--validate/ },
  { args: ["print-config", "--config", "good.yaml", "--validate", "false"], says: /^Error: / },
  { args: ["print-config", "--config", "good.yaml"], says: /value: '\[REDACTED\]'/ },
  { args: ["print-config", "--config", "good.yaml", "--mode", "UNREDACTED"], says: /value: s3cret/ },
  {
    args: ["print-initial-config", "--config", "good.yaml", "--config", "more.yaml"],
    says: /send_batch_size: 5\n +timeout: 1s/,
  },
  { args: ["print-config", "--config", "good.yaml", "--config", "lists.yaml"], says: /exporters:\n +- otlp_grpc\n/ },
  {
    args: [
      "print-config",
      "--config",
      "good.yaml",
      "--config",
      "lists.yaml",
      "--feature-gates=confmap.enableMergeAppendOption",
    ],
    says: /exporters:\n +- debug\n +- otlp_grpc\n/,
  },
  { args: ["print-config", "--config", "good.yaml", "--format", "JSON"], says: /"timeout": 1000000000/ },
  { args: ["print-config", "--config=good.yaml", "--set=service.pipelines=null"], says: /at least one pipeline/ },
  { args: ["print-config", "--config=good.yaml", "--set=service.pipelines=null", "--validate=false"], says: /batch:/ },
];

const running: readonly Invocation[] = [
  {
    args: ["--config", "good.yaml"],
    signal: "SIGTERM",
    says: /Received signal from OS.*"signal": "terminated"[\s\S]*Shutdown complete\./,
  },
  {
    args: ["--config", "good.yaml"],
    signal: "SIGINT",
    says: /Received signal from OS.*"signal": "interrupt"[\s\S]*Shutdown complete\./,
  },
  {
    args: ["--config", "good.yaml", "--set", "service.telemetry.logs.level=warn", "--set=exporters.debug.verbosity=x"],
    says: /verbosity/,
  },
  {
    args: ["--config", "good.yaml", "--set", "receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${env:TAKEN}"],
    says: /Failed to start component[\s\S]*Error: cannot start pipelines: failed to start "otlp" receiver: .*address already in use/,
  },
  {
    args: ["--config", "good.yaml", "--set", "service.telemetry.logs.encoding=json"],
    signal: "SIGTERM",
    says: /"msg":"Starting extensions\.\.\."[\s\S]*"msg":"Everything is ready\. Begin running and processing data\."[\s\S]*"msg":"Starting shutdown\.\.\."[\s\S]*"msg":"Stopping extensions\.\.\."[\s\S]*"msg":"Shutdown complete\."/,
  },
];

/** All of them, by what they are about. */
export const families: readonly (readonly [name: string, invocations: readonly Invocation[]])[] = [
  ["flags, commands, help", usage],
  ["sources, merging, references", sources],
  ["--set and feature gates", settings],
  ["print-config", printing],
  ["runs, signals, a port in use", running],
];
