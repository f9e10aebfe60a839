import type { ClientInfo } from "../delivery.ts";
import type { ExporterHost } from "../host.ts";
import type { TraceSpan } from "../tracing.ts";

/** Whose data it is when nobody knows any more. */
const nobody: ClientInfo = { address: "", transport: "internal" };

/** `client` as what is done for it inside `span`. */
function inside(client: ClientInfo | undefined, span: TraceSpan): ClientInfo {
  return { ...(client ?? nobody), trace: span };
}

/** A span, and the client to go on with: that of before where no spans are recorded. */
interface Traced<C extends ClientInfo | undefined> {
  readonly client: C | ClientInfo;
  readonly span: TraceSpan | undefined;
}

/** Starts the span of putting a request into the queue. @see Collector: `exporterhelper/internal/queue/obs_queue.go`. */
export function startEnqueue(host: ExporterHost, client: ClientInfo): Traced<ClientInfo> {
  const span = host.tracer?.start("exporter/enqueue", { parent: client.trace });
  return { span, client: span === undefined ? client : inside(client, span) };
}

/** Starts the span of sending a batch until it is sent or given up. @see Collector: `obs_report_sender.go`. */
export function startExport(host: ExporterHost, client: ClientInfo | undefined): Traced<ClientInfo | undefined> {
  const { id, signal } = host;
  const attributes = { exporter: id, data_type: signal };
  const span = host.tracer?.start(`exporter/${id}/${signal}`, { parent: client?.trace, attributes });
  return { span, client: span === undefined ? client : inside(client, span) };
}

/** Ends what `startExport` began: all items of a batch have been sent, or none. */
export function endExport(span: TraceSpan | undefined, items: number, error: Error | undefined): void {
  span?.set({ "items.sent": error === undefined ? items : 0, "items.failed": error === undefined ? 0 : items });
  span?.end(error?.message);
}
