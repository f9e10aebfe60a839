import type { Privacy } from "../config.ts";
import { type Encodings, viewerOptions } from "../encodings.ts";
import { type Answer, contentError } from "./answer.ts";
import type { Call } from "./client.ts";
import { GraphistryError } from "./graphistry_error.ts";
import type { Session } from "./session.ts";

/** A graph ready to be sent: two Arrow files and how to draw them. */
export interface UploadGraph {
  /** Names the dataset on the server; no two uploads have the same. */
  readonly name: string;
  readonly nodes: Uint8Array;
  readonly edges: Uint8Array;
  readonly encodings: Encodings;
}

export interface UploadSettings {
  readonly privacy: Privacy;
  readonly agent: { readonly name: string; readonly version: string };
}

export interface Uploaded {
  readonly datasetId: string;
  readonly viewerUrl: string;
}

const json = { "content-type": "application/json" };

/** What an upload that was aborted may take to delete what it has created. */
export const undoTimeoutMs = 2_000;

/**
 * Uploads a graph: both files, the dataset that joins them, and who may see it. What was created is deleted again, as far
 * as that works, when a later step fails: a dataset whose privacy could not be set would be open to whoever guesses it.
 *
 * @throws {GraphistryError}, or what `signal` was aborted with
 */
export async function uploadGraph(
  session: Session,
  graph: UploadGraph,
  settings: UploadSettings,
  signal: AbortSignal,
): Promise<Uploaded> {
  const upload = new Upload(session, graph, settings, signal);
  try {
    return await upload.run();
  } catch (thrown) {
    if (signal.aborted) await session.client.within(undoTimeoutMs, (limited) => upload.undo(limited));
    else await upload.undo(signal);
    throw thrown;
  }
}

class Upload {
  readonly #session: Session;
  readonly #graph: UploadGraph;
  readonly #settings: UploadSettings;
  readonly #signal: AbortSignal;
  /** Paths of what this upload has created. */
  readonly #created: string[] = [];
  /** The dataset may have been created without an answer that says so. */
  #isUncertain = false;

  constructor(session: Session, graph: UploadGraph, settings: UploadSettings, signal: AbortSignal) {
    this.#session = session;
    this.#graph = graph;
    this.#settings = settings;
    this.#signal = signal;
  }

  async run(): Promise<Uploaded> {
    await this.#session.open(this.#signal);
    const edges = await this.#file("edges", this.#graph.edges);
    const nodes = await this.#file("nodes", this.#graph.nodes);
    const datasetId = await this.#dataset(edges, nodes);
    await this.#share(datasetId);
    return { datasetId, viewerUrl: viewerUrl(this.#session.client.server, datasetId) };
  }

  async undo(signal: AbortSignal): Promise<void> {
    const lost = this.#isUncertain ? await this.#findDataset(signal) : undefined;
    if (lost !== undefined) this.#created.push(datasetPath(lost));
    for (const path of this.#created.toReversed()) {
      const call = { what: "the deletion of a failed upload", method: "DELETE", path } as const;
      await this.#session.send(call, signal).catch(() => {});
    }
  }

  async #file(table: "edges" | "nodes", bytes: Uint8Array): Promise<string> {
    const { agent } = this.#settings;
    const created = await this.#post(`the creation of the ${table} file`, "/api/v2/files/", {
      file_type: "arrow",
      name: `${this.#graph.name} ${table}`,
      description: "",
      agent_name: agent.name,
      agent_version: agent.version,
      ...this.#session.owner,
    });
    const id = created.answer.body?.["file_id"];
    if (typeof id !== "string" || id === "") throw contentError(created.what, created.answer, "a file_id");
    const encoded = encodeURIComponent(id);
    this.#created.push(`/api/v2/files/${encoded}`);
    const what = `the upload of the ${table} file`;
    const path = `/api/v2/upload/files/${encoded}?erase=true`;
    const answer = await this.#session.send({ what, method: "POST", path, body: bytes }, this.#signal);
    if (answer.body?.["is_valid"] !== true) {
      throw new GraphistryError(`Graphistry could not read the ${table} file${answer.said}`, {
        status: answer.status,
      });
    }
    return id;
  }

  async #dataset(edges: string, nodes: string): Promise<string> {
    const { agent } = this.#settings;
    const body = {
      name: this.#graph.name,
      description: "",
      metadata: { agent: agent.name, agentversion: agent.version, apiversion: "3" },
      edge_files: [edges],
      node_files: [nodes],
      ...this.#graph.encodings,
      ...this.#session.owner,
    };
    this.#isUncertain = true;
    const { what, answer } = await this.#post(
      "the creation of the dataset",
      "/api/v2/upload/datasets/",
      body,
      (signal) => this.#recoverDataset(signal),
    );
    this.#isUncertain = false;
    const data = answer.body?.["data"] as { dataset_id?: unknown } | undefined;
    const id = data?.dataset_id;
    if (answer.body?.["success"] !== true || typeof id !== "string" || id === "") {
      throw contentError(what, answer, "success and a dataset_id");
    }
    this.#created.push(datasetPath(id));
    return id;
  }

  /** A second dataset would leave the first one behind, without the privacy that is set at the end. */
  async #recoverDataset(signal: AbortSignal): Promise<Answer | undefined> {
    const dataset_id = await this.#findDataset(signal);
    if (dataset_id === undefined) return undefined;
    return { status: 200, retryAfter: null, said: "", body: { success: true, data: { dataset_id } } };
  }

  /** The id of this upload's dataset, by its name, among the latest ones of the account. */
  async #findDataset(signal: AbortSignal): Promise<string | undefined> {
    const call = { what: "the list of datasets", method: "GET", path: "/api/v2/datasets/?limit=20" } as const;
    const answer = await this.#session.send(call, signal).catch(() => undefined);
    const results = answer?.body?.["results"];
    if (!Array.isArray(results)) return undefined;
    const found = results.find((dataset: unknown) => (dataset as { name?: unknown })?.name === this.#graph.name);
    const id = (found as { dataset_id?: unknown } | undefined)?.dataset_id;
    return typeof id === "string" ? id : undefined;
  }

  async #share(datasetId: string): Promise<void> {
    const { mode, invitedUsers, canEdit, notify, message } = this.#settings.privacy;
    const action = canEdit ? "20" : "10";
    const { what, answer } = await this.#post("the privacy of the dataset", "/api/v2/share/link/", {
      obj_pk: datasetId,
      obj_type: "dataset",
      mode,
      notify,
      invited_users: invitedUsers.map((email) => ({ email, action })),
      mode_action: action,
      message,
    });
    const status = answer.body?.["status"];
    if (status !== undefined && status !== "OK") throw contentError(what, answer, "status OK");
  }

  async #post(
    what: string,
    path: string,
    body: object,
    recover?: Call["recover"],
  ): Promise<{ what: string; answer: Answer }> {
    const post = { what, method: "POST", path, headers: json, body: JSON.stringify(body) } as const;
    const call = recover === undefined ? post : { ...post, recover };
    return { what, answer: await this.#session.send(call, this.#signal) };
  }
}

function datasetPath(id: string): string {
  return `/api/v2/datasets/${encodeURIComponent(id)}/`;
}

function viewerUrl(server: string, datasetId: string): string {
  const query = new URLSearchParams({ dataset: datasetId, type: "arrow", ...viewerOptions });
  return `${server}/graph/graph.html?${query}`;
}
