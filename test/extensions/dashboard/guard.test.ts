import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allowedHosts, refusal } from "../../../extensions/dashboard/guard.ts";

const own = {
  method: "GET",
  path: "/api/state",
  host: "localhost:13140",
  origin: undefined,
  fetchSite: "same-origin",
  fetchMode: "cors",
};

describe("who may ask the dashboard", () => {
  for (const { name, asking, endpoint = "localhost", why } of [
    { name: "its own page reads", asking: {} },
    { name: "its own page over IPv6", asking: { host: "[::1]:13140" } },
    { name: "its own page over IPv4, through a tunnel on another port", asking: { host: "127.0.0.1:9000" } },
    { name: "names are not case sensitive", asking: { host: "LOCALHOST:13140", origin: "http://localhost:13140" } },
    { name: "a program without a browser reads", asking: { fetchSite: undefined, fetchMode: undefined } },
    { name: "its own page asks for a text", asking: { method: "POST", origin: "http://localhost:13140" } },
    { name: "the configured name", endpoint: "otel.example", asking: { host: "otel.example:13140" } },
    { name: "an address, when bound to all of them", endpoint: "0.0.0.0", asking: { host: "10.0.0.7:13140" } },
    {
      name: "a link from elsewhere to the page",
      asking: { path: "/", fetchSite: "cross-site", fetchMode: "navigate" },
    },
    { name: "a rebound name", asking: { host: "evil.example:13140" }, why: /host "evil.example:13140" is not a name/ },
    {
      name: "a rebound name, bound to all",
      endpoint: "0.0.0.0",
      asking: { host: "evil.example" },
      why: /is not a name/,
    },
    {
      name: "a link by a rebound name",
      asking: { path: "/", host: "evil.example", fetchMode: "navigate" },
      why: /not a name/,
    },
    { name: "another address, when bound to localhost", asking: { host: "10.0.0.7:13140" }, why: /is not a name/ },
    { name: "no host", asking: { host: undefined }, why: /is not a name/ },
    { name: "a host with a path", asking: { host: "localhost/evil.example" }, why: /is not a name/ },
    { name: "a host with credentials", asking: { host: "localhost@evil.example" }, why: /is not a name/ },
    { name: "another site", asking: { origin: "https://evil.example" }, why: /another site/ },
    { name: "a page of another local port", asking: { origin: "http://localhost:3000" }, why: /another site/ },
    { name: "a sandboxed page", asking: { origin: "null" }, why: /another site/ },
    {
      name: "a picture tag elsewhere",
      asking: { fetchSite: "cross-site", fetchMode: "no-cors" },
      why: /a cross-site request/,
    },
    {
      name: "a link elsewhere to the API",
      asking: { fetchSite: "cross-site", fetchMode: "navigate" },
      why: /cross-site/,
    },
    {
      name: "a form elsewhere",
      asking: { method: "POST", path: "/", fetchMode: "navigate", origin: "null" },
      why: /another/,
    },
    {
      name: "a write without an origin",
      asking: { method: "POST", fetchSite: undefined },
      why: /must name its origin/,
    },
  ]) {
    it(`${why === undefined ? "answers" : "refuses"}: ${name}`, () => {
      const said = refusal({ ...own, ...asking }, allowedHosts(endpoint));
      if (why === undefined) assert.equal(said, undefined);
      else assert.match(said ?? "answered", why);
    });
  }
});
