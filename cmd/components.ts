import type { Registry } from "../pipeline/registry.ts";

/** Every component, by section and type. Each is imported only when a config names it. */
export const registry: Registry = {
  receivers: {
    nop: () => import("../receivers/nop/index.ts"),
    otlp: () => import("../receivers/otlp/index.ts"),
    otlp_json_file: () => import("../receivers/otlp_json_file/index.ts"),
  },
  processors: {
    aggregate: () => import("../processors/aggregate/index.ts"),
    attributes: () => import("../processors/attributes/index.ts"),
    batch: () => import("../processors/batch/index.ts"),
    gen_ai_normalizer: () => import("../processors/gen_ai_normalizer/index.ts"),
    memory_limiter: () => import("../processors/memory_limiter/index.ts"),
    probabilistic_sampler: () => import("../processors/probabilistic_sampler/index.ts"),
    resource: () => import("../processors/resource/index.ts"),
  },
  exporters: {
    debug: () => import("../exporters/debug/index.ts"),
    file: () => import("../exporters/file/index.ts"),
    graphistry: () => import("../exporters/graphistry/index.ts"),
    nop: () => import("../exporters/nop/index.ts"),
    otlp_grpc: () => import("../exporters/otlp_grpc/index.ts"),
    otlp_http: () => import("../exporters/otlp_http/index.ts"),
    plotly: () => import("../exporters/plotly/index.ts"),
  },
  connectors: {
    aggregate: () => import("../connectors/aggregate/index.ts"),
    forward: () => import("../connectors/forward/index.ts"),
  },
  extensions: {
    basicauth: () => import("../extensions/basicauth/index.ts"),
    bearertokenauth: () => import("../extensions/bearertokenauth/index.ts"),
    dashboard: () => import("../extensions/dashboard/index.ts"),
    file_storage: () => import("../extensions/file_storage/index.ts"),
    headers_setter: () => import("../extensions/headers_setter/index.ts"),
    health_check: () => import("../extensions/health_check/index.ts"),
    oauth2client: () => import("../extensions/oauth2client/index.ts"),
    pprof: () => import("../extensions/pprof/index.ts"),
    zpages: () => import("../extensions/zpages/index.ts"),
  },
};
