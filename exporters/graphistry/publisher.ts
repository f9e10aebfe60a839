import { messageOf } from "../../pipeline/error_text.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import type { Clock, Host, Logger } from "../../pipeline/host.ts";
import { userAgent } from "../../pipeline/net/user_agent.ts";
import { PublishedFiles } from "../../pipeline/published_files.ts";
import { arrowFile } from "./arrow_file.ts";
import { type AccountSettings, defaultDirectory, type GraphistrySettings } from "./config.ts";
import { encodings } from "./encodings.ts";
import { graphJson } from "./graph_json.ts";
import { Client, type Fetch } from "./rest/client.ts";
import { GraphistryError } from "./rest/graphistry_error.ts";
import { Session } from "./rest/session.ts";
import { type Uploaded, type UploadGraph, uploadGraph } from "./rest/upload.ts";
import { tablesOf } from "./tables.ts";
import type { TraceGraph } from "./trace_graph.ts";

/** Brings a graph to the server and to the files, whichever are set. */
export class Publisher {
  readonly #settings: GraphistrySettings;
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #session: Session | undefined;
  readonly #files: PublishedFiles;
  readonly #count: (outcome: "success" | "failure") => void;
  #uploaded: Uploaded | undefined;
  #problem: string | undefined;

  constructor(settings: GraphistrySettings, host: Host, fetch: Fetch) {
    this.#settings = settings;
    this.#host = host;
    this.#clock = host.clock;
    this.#logger = host.logger;
    this.#session = settings.account && sessionOf(settings.account, host, fetch);
    this.#files = new PublishedFiles(
      { directory: settings.directory, defaultDirectory, what: "the trace graph" },
      host,
    );
    const uploads = host.meter.counter("otelpipe_exporter_graphistry_uploads", {
      description: "Number of graphs that were uploaded, or not, by outcome",
      unit: "{upload}",
    });
    this.#count = (outcome) => uploads.add(1, { outcome });
  }

  /** Whether there is anywhere to bring a graph to. */
  get isIdle(): boolean {
    return this.#session === undefined && !this.#files.areOn;
  }

  /** Whether the graph is written to files. */
  get writesFiles(): boolean {
    return this.#files.areOn;
  }

  get uploaded(): Uploaded | undefined {
    return this.#uploaded;
  }

  /** Why the last graph did not arrive everywhere, for a person. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @throws {Error} when a directory that the config names cannot be written. */
  async open(): Promise<void> {
    await this.#files.open();
    const { account } = this.#settings;
    if (account?.server.startsWith("http:")) {
      this.#logger.warn(
        { server: account.server },
        "Graphistry's login goes over plain HTTP: the network can read it.",
      );
    }
  }

  /**
   * Uploads and writes a graph. Failures are logged; true when the graph is done with, false when it is to be tried
   * again. It ends soon once `signal` is aborted.
   */
  async publish(graph: TraceGraph, signal: AbortSignal): Promise<boolean> {
    const pause = pauseOn(this.#clock);
    await pause();
    const tables = await tablesOf(graph, pause);
    const nodes = await arrowFile(tables.nodes, pause);
    const edges = await arrowFile(tables.edges, pause);
    const createdUnixMs = this.#clock.nowMs();
    const name = this.#nameOf(createdUnixMs);
    this.#problem = undefined;
    const isUploaded = await this.#upload({ name, nodes, edges, encodings }, graph, signal);
    if (!this.#files.areOn) return isUploaded;
    const json = await graphJson(graph, tables, { name, createdUnixMs, uploaded: this.#uploaded }, pause);
    const isWritten = await this.#write({ "nodes.arrow": nodes, "edges.arrow": edges, "graph.json": json });
    return isUploaded && isWritten;
  }

  /** Unlike any other upload's: by it a dataset is found again. */
  #nameOf(unixMs: number): string {
    const time = new Date(unixMs).toISOString().slice(0, 19).replace("T", " ");
    const tail = Math.floor(this.#host.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, "0");
    return `${this.#settings.name} ${time} ${tail}`;
  }

  async #upload(upload: UploadGraph, graph: TraceGraph, signal: AbortSignal): Promise<boolean> {
    const { account } = this.#settings;
    if (this.#session === undefined || account === undefined) return true;
    const { command: name, version } = this.#host.build;
    const settings = { privacy: account.privacy, agent: { name, version } };
    try {
      this.#uploaded = await uploadGraph(this.#session, upload, settings, signal);
    } catch (thrown) {
      return this.#failed(thrown);
    }
    this.#count("success");
    const { viewerUrl } = this.#uploaded;
    const fields = { url: viewerUrl, spans: graph.spans.length, privacy: account.privacy.mode };
    this.#logger.info(fields, "The trace graph is on Graphistry.");
    return true;
  }

  /** The same graph again is worth a try after a failure that may pass, not after a refusal. */
  #failed(thrown: unknown): boolean {
    const error = messageOf(thrown);
    const mayPass = !(thrown instanceof GraphistryError) || thrown.isRetryable;
    this.#problem = "upload failed";
    this.#count("failure");
    this.#logger.error({ error, mayPass }, "The trace graph could not be uploaded to Graphistry.");
    return !mayPass;
  }

  async #write(contents: Readonly<Record<string, string | Uint8Array>>): Promise<boolean> {
    for (const [name, content] of Object.entries(contents)) {
      if (await this.#files.replace(name, content)) continue;
      this.#problem = "files cannot be written";
      return false;
    }
    return true;
  }
}

function sessionOf(account: AccountSettings, host: Host, fetch: Fetch): Session {
  const client = new Client(account.server, fetch, userAgent(host.build), host);
  return new Session(client, account.credentials, account.organization);
}
