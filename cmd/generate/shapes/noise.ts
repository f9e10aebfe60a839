import type { Shape } from "../scene.ts";
import type { Scope } from "../services.ts";
import { backOffice } from "../services.ts";
import { spanKind } from "../span.ts";

const scope: Scope = { name: "io.opentelemetry.tomcat-10.0", version: "2.20.1" };

/** Shape G: traffic that has nothing to do with models. */
export const noise: Shape = ({ trace, random }) => {
  const origin = { service: backOffice, scope };
  const health = random.chance(0.4);
  const route = health ? "/healthz" : "/orders/{id}";
  const root = trace.start(
    undefined,
    origin,
    {
      name: `GET ${route}`,
      kind: spanKind.server,
      attributes: {
        "http.request.method": "GET",
        "http.route": route,
        "http.response.status_code": 200,
        "url.scheme": "http",
      },
    },
    0,
    { operation: "http" },
  );
  let now = 0.0002;
  for (let left = health ? 0 : random.integer(1, 4); left > 0; left--) {
    const query = trace.start(
      root,
      origin,
      {
        name: "SELECT orders",
        kind: spanKind.client,
        attributes: {
          "db.system.name": "postgresql",
          "db.operation.name": "SELECT",
          "db.collection.name": "orders",
          "server.address": "db-0",
        },
      },
      now,
      { operation: "db" },
    );
    query.end((now += random.logNormal(0.004, 0.8)));
  }
  root.end(now + 0.0003);
};
