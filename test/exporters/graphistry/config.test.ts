import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settingsOf } from "../../../exporters/graphistry/config.ts";
import graphistry from "../../../exporters/graphistry/index.ts";

function problems(config: object): string[] {
  const result = graphistry.config.safeParse(config);
  return result.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

describe("the config of graphistry", () => {
  it("needs nothing, and takes empty texts as not set", () => {
    const { server, password, personal_key_id } = { server: "", password: "", personal_key_id: "" };
    const empty = { server, username: "", password, personal_key_id, personal_key_secret: "", org_name: "" };
    for (const config of [{}, empty]) {
      const settings = settingsOf(graphistry.config.parse(config));
      assert.equal(settings.account, undefined);
      assert.equal(settings.directory, "./otelpipe-output/graph");
      assert.equal(settings.uploadIntervalMs, 300_000);
      assert.equal(settings.maxSpans, 5000);
    }
  });

  it("makes an account of a user name and a password, private unless told otherwise", () => {
    const config = { username: "ada", password: "secret", server: "https://graphs.example.org/" };
    assert.deepEqual(settingsOf(graphistry.config.parse(config)).account, {
      server: "https://graphs.example.org",
      credentials: { kind: "password", username: "ada", password: "secret" },
      organization: undefined,
      privacy: { mode: "private", invitedUsers: [], canEdit: false, notify: false, message: "" },
    });
  });

  it("takes a user name beside a personal key, as the notebook gives it", () => {
    const config = { username: "ada", personal_key_id: "K", personal_key_secret: "S" };
    const { account } = settingsOf(graphistry.config.parse(config));
    assert.deepEqual(account?.credentials, { kind: "personal key", id: "K", secret: "S" });
    assert.equal(account?.server, "https://hub.graphistry.com");
  });

  for (const { name, config, want } of [
    {
      name: "a password without a user name",
      config: { password: "p" },
      want: "username: password is given but username is not: give both or neither",
    },
    {
      name: "a user name alone",
      config: { username: "ada" },
      want: "password: username is given but password is not: give both or neither, or use personal_key_id and personal_key_secret",
    },
    {
      name: "a key id alone",
      config: { personal_key_id: "K", username: "ada" },
      want: "personal_key_secret: personal_key_id is given but personal_key_secret is not: give both or neither",
    },
    {
      name: "a key secret alone",
      config: { personal_key_secret: "S" },
      want: "personal_key_id: personal_key_secret is given but personal_key_id is not: give both or neither",
    },
    {
      name: "a server that is no URL",
      config: { server: "hub.graphistry.com" },
      want: "server: must be a URL such as https://hub.graphistry.com",
    },
    {
      name: "a server with a password in its URL",
      config: { server: "https://ada:secret@hub.graphistry.com" },
      want: "server: must not hold a user name or a password: use their own keys",
    },
    {
      name: "a server with a query",
      config: { server: "https://hub.graphistry.com/?a=b" },
      want: "server: must not have a query or a fragment",
    },
    {
      name: "an interval too short",
      config: { upload_interval: "10ms" },
      want: "upload_interval: must be at least 1s",
    },
  ]) {
    it(`refuses ${name}`, () => assert.deepEqual(problems(config), [want]));
  }
});
