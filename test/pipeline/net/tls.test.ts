import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { ConnectionOptions } from "node:tls";
import { openSslCurves } from "../../../pipeline/net/tls_names.ts";
import { eventually } from "../../support/turns.ts";
import type { surroundings } from "./servers.ts";
import { forEachGrpcEngine } from "./servers.ts";
import {
  body,
  ca,
  clientPair,
  file,
  grpcClient,
  grpcs,
  handshake,
  httpClient,
  https,
  otherCa,
  pair,
  path,
  serverPair,
  simulatedTime,
} from "./tls_servers.ts";

/** The serial number of the certificate that a server shows to a new connection. */
async function serialOf(address: string): Promise<string> {
  const socket = await handshake(address, { ALPNProtocols: ["h2"] });
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

forEachGrpcEngine(() => {
  describe("a client of a TLS server", () => {
    for (const { name, tls, ok } of [
      { name: "trusts the CA it is given as a file", tls: { ca_file: file(ca.cert) }, ok: true },
      { name: "trusts the CA it is given as text", tls: { ca_pem: ca.cert }, ok: true },
      { name: "with the system's CAs besides", tls: { ca_pem: ca.cert, include_system_ca_certs_pool: true }, ok: true },
      { name: "does not trust a CA it does not know", tls: {}, ok: false },
      { name: "does not trust another CA", tls: { ca_pem: otherCa.cert }, ok: false },
      { name: "trusts anybody when told to", tls: { insecure_skip_verify: true }, ok: true },
      { name: "checks the name it is told", tls: { ca_pem: ca.cert, server_name_override: "localhost" }, ok: true },
      { name: "refuses another name", tls: { ca_pem: ca.cert, server_name_override: "example.com" }, ok: false },
      { name: "with insecure and a CA speaks TLS", tls: { ca_pem: ca.cert, insecure: true }, ok: true },
    ]) {
      it(`${name}, over HTTP`, async () => {
        const { url } = await https(pair(serverPair));
        const sent = (await httpClient(tls)).send(url, body, {});
        if (ok) assert.equal((await sent).status, 200);
        else await assert.rejects(sent);
      });

      it(`${name}, over gRPC`, async () => {
        const { address } = await grpcs(pair(serverPair));
        const { status } = await grpcClient(address, tls).send(path, body, {});
        assert.equal(status?.code, ok ? undefined : 14);
      });
    }

    it("checks the name of its endpoint over gRPC, whatever address that has", async () => {
      const { address } = await grpcs(pair(ca.issue("server", { names: ["localhost"] })));
      const port = address.slice(address.lastIndexOf(":"));
      for (const [host, code] of [
        ["localhost", undefined],
        ["127.0.0.1", 14],
      ] as const) {
        const { status } = await grpcClient(`${host}${port}`, { ca_pem: ca.cert }).send(path, body, {});
        assert.equal(status?.code, code);
      }
    });

    it("does not trust a certificate that has expired", async () => {
      const expired = ca.issue("server", { notAfter: new Date("2021-01-01T00:00:00Z") });
      const { url } = await https(pair(expired));
      await assert.rejects((await httpClient({ ca_pem: ca.cert })).send(url, body, {}), /expired/);
      const { address } = await grpcs(pair(expired));
      assert.equal((await grpcClient(address, { ca_pem: ca.cert }).send(path, body, {})).status?.code, 14);
    });

    it("names a file that it cannot read", async () => {
      await assert.rejects(httpClient({ ca_file: "/nowhere/ca.pem" }), /cannot read \/nowhere\/ca.pem/);
      await assert.rejects(httpClient({ ca_pem: "nothing" }), /ca_pem: failed to parse cert/);
      assert.throws(() => grpcClient("localhost:1", { ca_file: "/nowhere/ca.pem" }), /cannot read \/nowhere\/ca.pem/);
    });
  });

  describe("a server with client_ca_file", () => {
    const expired = ca.issue("client", { notAfter: new Date("2021-01-01T00:00:00Z") });
    for (const { name, show, ok } of [
      { name: "a certificate of that CA", show: pair(clientPair), ok: true },
      { name: "a certificate as text", show: { cert_pem: clientPair.cert, key_pem: clientPair.key }, ok: true },
      { name: "no certificate", show: {}, ok: false },
      { name: "a certificate of another CA", show: pair(otherCa.issue("client")), ok: false },
      { name: "an expired certificate", show: pair(expired), ok: false },
    ]) {
      it(`${ok ? "takes" : "refuses"} ${name}, over HTTP`, async () => {
        const { url, handler } = await https({ ...pair(serverPair), client_ca_file: file(ca.cert) });
        const sent = (await httpClient({ ca_pem: ca.cert, ...show })).send(url, body, {});
        if (ok) assert.equal((await sent).status, 200);
        else await assert.rejects(sent);
        assert.equal(handler.requests.length, ok ? 1 : 0);
      });

      it(`${ok ? "takes" : "refuses"} ${name}, over gRPC`, async () => {
        const { address, handler } = await grpcs({ ...pair(serverPair), client_ca_file: file(ca.cert) });
        const { status } = await grpcClient(address, { ca_pem: ca.cert, ...show }).send(path, body, {});
        assert.equal(status?.code, ok ? undefined : 14);
        assert.equal(handler.requests.length, ok ? 1 : 0);
      });
    }
  });

  for (const [protocol, serve] of [
    ["HTTP", https],
    ["gRPC", (tls: object, _settings: object, around: ReturnType<typeof surroundings>) => grpcs(tls, around)],
  ] as const) {
    describe(`certificates of a server that are read again: ${protocol}`, () => {
      // Scenario: a client is connected; the files are replaced; the interval passes.
      // Guarantees: new connections see the new certificate only then; the old connection lives on.
      it("are shown to new connections after reload_interval, while others stay", async () => {
        const around = simulatedTime();
        const files = pair(serverPair);
        const { address } = await serve({ ...files, reload_interval: "1m" }, {}, around);
        const old = await handshake(address, { ALPNProtocols: ["h2"] });
        const before = old.getPeerCertificate().serialNumber;
        const renewed = ca.issue("server");
        writeFileSync(files.cert_file, renewed.cert);
        writeFileSync(files.key_file, renewed.key);
        around.time.advance(60_000);
        assert.equal(await serialOf(address), before);
        around.time.advance(1);
        assert.notEqual(await serialOf(address), before);
        assert.equal(old.destroyed, false);
        assert.equal(old.getPeerCertificate().serialNumber, before);
        old.destroy();
      });

      it("stay what they were while the files are unusable, and the log says so", async () => {
        const around = simulatedTime();
        const files = pair(serverPair);
        const { address } = await serve({ ...files, reload_interval: "1m" }, {}, around);
        const before = await serialOf(address);
        writeFileSync(files.cert_file, "no certificate");
        around.time.advance(60_001);
        assert.equal(await serialOf(address), before);
        assert.equal(around.logs.length, 1);
        assert.equal(around.logs[0]?.message, "Reading TLS certificates again failed; the old ones stay in use.");
        writeFileSync(files.cert_file, ca.issue("server").cert); // does not fit the key
        around.time.advance(60_001);
        assert.equal(await serialOf(address), before);
        assert.equal(around.logs.length, 2);
      });

      it("never are without reload_interval", async () => {
        const around = simulatedTime();
        const files = pair(serverPair);
        const { address } = await serve(files, {}, around);
        const before = await serialOf(address);
        writeFileSync(files.cert_file, "no certificate");
        around.time.advance(1e9);
        assert.equal(await serialOf(address), before);
      });

      it("of its clients' CA are taken when the file has changed, with client_ca_file_reload", async () => {
        const around = simulatedTime();
        const client_ca_file = file(otherCa.cert);
        const tls = { ...pair(serverPair), client_ca_file, client_ca_file_reload: true };
        const { address } = await serve(tls, {}, around);
        const accepted = async () => {
          const socket = await handshake(address, {
            cert: clientPair.cert,
            key: clientPair.key,
            ALPNProtocols: ["h2"],
          });
          // TLS 1.3 tells a client of its refusal only behind the handshake.
          const outcome = new Promise<boolean>((resolve) => {
            socket.once("data", () => resolve(true));
            socket.once("error", () => resolve(false));
            socket.once("close", () => resolve(false));
          });
          socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
          return outcome.finally(() => socket.destroy());
        };
        assert.equal(await accepted(), false);
        writeFileSync(client_ca_file, ca.cert);
        assert.equal(await accepted(), false);
        around.time.advance(1_000);
        assert.equal(await accepted(), true);
        writeFileSync(client_ca_file, "");
        around.time.advance(1_000);
        assert.equal(await accepted(), true);
      });
    });
  }

  describe("certificates of a client that are read again", () => {
    const strict = () => ({ ...pair(serverPair), client_ca_file: file(ca.cert) });

    it("are shown by new connections, over HTTP", async () => {
      const { url } = await https(strict(), { keep_alives_enabled: false });
      const around = simulatedTime();
      const files = pair(otherCa.issue("client"));
      const client = await httpClient({ ca_pem: ca.cert, ...files, reload_interval: "1m" }, {}, around);
      await assert.rejects(client.send(url, body, {}));
      writeFileSync(files.cert_file, clientPair.cert);
      writeFileSync(files.key_file, clientPair.key);
      await assert.rejects(client.send(url, body, {}));
      around.time.advance(60_001);
      assert.equal((await client.send(url, body, {})).status, 200);
      writeFileSync(files.key_file, "no key");
      around.time.advance(60_001);
      assert.equal((await client.send(url, body, {})).status, 200);
      assert.equal(around.logs.length, 1);
    });

    it("are shown by new connections, over gRPC, while calls under way go on", async () => {
      let finish: () => void = () => {};
      const { address, handler } = await grpcs(strict());
      const around = simulatedTime();
      const files = pair(clientPair);
      const client = grpcClient(address, { ca_pem: ca.cert, ...files, reload_interval: "1m" }, around);
      const waiting = new Promise<void>((resolve) => (finish = resolve));
      const { handle } = handler;
      handler.handle = (request, answer) => void waiting.then(() => handle.call(handler, request, answer));
      let begun = 0;
      handler.judge = () => void begun++;
      const underWay = client.send(path, body, {});
      await eventually(() => begun === 1);
      const renewed = ca.issue("client");
      writeFileSync(files.cert_file, renewed.cert);
      writeFileSync(files.key_file, renewed.key);
      around.time.advance(60_001);
      const next = client.send(path, body, {});
      await eventually(() => begun === 2);
      finish();
      assert.deepEqual([(await underWay).status, (await next).status], [undefined, undefined]);
      assert.equal(new Set(handler.requests.map((request) => request.client.address)).size, 2);
    });

    it("are shown over gRPC for calls that wait for a connection as well", async () => {
      const { address } = await grpcs(strict());
      const around = simulatedTime();
      const files = pair(clientPair);
      const client = grpcClient(address, { ca_pem: ca.cert, ...files, reload_interval: "1m" }, around);
      const waiting = client.send(path, body, {});
      const renewed = ca.issue("client");
      writeFileSync(files.cert_file, renewed.cert);
      writeFileSync(files.key_file, renewed.key);
      around.time.advance(60_001);
      const next = client.send(path, body, {});
      assert.deepEqual([(await waiting).status, (await next).status], [undefined, undefined]);
    });
  });

  describe("versions, suites and curves", () => {
    const rsaOnly = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
    const weak = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256";
    for (const { name, tls, client, want } of [
      { name: "the highest version, by default", tls: {}, client: {}, want: "TLSv1.3" },
      { name: "TLS 1.2 by max_version", tls: { max_version: "1.2" }, client: {}, want: "TLSv1.2" },
      { name: "nothing older than min_version", tls: { min_version: "1.3" }, client: { maxVersion: "TLSv1.2" } },
      { name: "nothing older than TLS 1.2 by default", tls: {}, client: { maxVersion: "TLSv1.1" } },
      {
        name: "the suite it is told, up to TLS 1.2",
        tls: { cipher_suites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] },
        client: { maxVersion: "TLSv1.2" },
        want: "ECDHE-ECDSA-AES256-GCM-SHA384",
      },
      {
        name: "a weak suite when told to",
        tls: { cipher_suites: [weak], include_insecure_cipher_suites: true },
        client: { maxVersion: "TLSv1.2", ciphers: "ALL" },
        want: "ECDHE-ECDSA-AES128-SHA256",
      },
      { name: "no other suite", tls: { cipher_suites: [rsaOnly] }, client: { maxVersion: "TLSv1.2" } },
      { name: "TLS 1.3 whatever the suites", tls: { cipher_suites: [rsaOnly] }, client: {}, want: "TLSv1.3" },
      {
        name: "a curve it is told",
        tls: { curve_preferences: ["P384"] },
        client: { ecdhCurve: "P-384" },
        want: "TLSv1.3",
      },
      { name: "no other curve", tls: { curve_preferences: ["P384"] }, client: { ecdhCurve: "P-256" } },
    ] as { name: string; tls: object; client: ConnectionOptions; want?: string }[]) {
      it(`a server takes ${name}`, async () => {
        const { address } = await https({ ...pair(serverPair), ...tls });
        if (want === undefined) {
          await assert.rejects(handshake(address, client));
          return;
        }
        const socket = await handshake(address, client);
        assert.ok([socket.getProtocol(), socket.getCipher().name].includes(want), socket.getCipher().name);
        socket.destroy();
      });
    }

    it("leave out X25519MLKEM768 where OpenSSL does not know it", () => {
      assert.equal(openSslCurves(["X25519MLKEM768", "P256"], "3.0.15"), "P-256");
      assert.equal(openSslCurves(["X25519MLKEM768", "P256"], "3.5.0+quic"), "X25519MLKEM768:P-256");
      assert.equal(openSslCurves(["X25519MLKEM768"], "3.0.15"), undefined);
    });
  });
});
