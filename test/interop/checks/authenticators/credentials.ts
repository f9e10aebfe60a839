/** Client extensions by id, each with its settings as one line of YAML; `folder` holds the files, `tokenUrl` gives tokens. */
export function clientExtensions(folder: string, tokenUrl: string): Readonly<Record<string, string>> {
  const file = (name: string) => JSON.stringify(`${folder}/${name}`);
  const setter = (...headers: string[]) => `{ headers: [${headers.map((header) => `{ ${header} }`).join(", ")}] }`;
  const oauth = `client_id: id, client_secret: "a:b c", token_url: "${tokenUrl}"`;
  return {
    "basicauth/plain": '{ client_auth: { username: ada, password: "p:ä" } }',
    "basicauth/files": `{ client_auth: { username_file: ${file("name")}, password_file: ${file("password")} } }`,
    "basicauth/empty": "{ client_auth: {} }",
    "bearertokenauth/one": "{ token: one }",
    "bearertokenauth/several": "{ tokens: [one, two], header: X-First, scheme: Key }",
    "bearertokenauth/file": `{ filename: ${file("tokens")} }`,
    "oauth2client/plain": `{ ${oauth} }`,
    "oauth2client/params": `{ ${oauth}, scopes: [a, b], endpoint_params: { audience: [x, y] } }`,
    "oauth2client/files": `{ client_id_file: ${file("name")}, client_secret_file: ${file("password")}, token_url: "${tokenUrl}" }`,
    "headers_setter/value": setter("action: upsert, key: X-First, value: one"),
    "headers_setter/no_action": setter("key: X-First, value: one"),
    "headers_setter/file": setter(`action: upsert, key: X-First, value_file: ${file("password")}`),
    "headers_setter/context": setter("action: insert, key: X-First, from_context: Tenant"),
    "headers_setter/missing": setter("action: upsert, key: X-First, from_context: other"),
    "headers_setter/default": setter("action: upsert, key: X-First, from_context: other, default_value: none"),
    "headers_setter/attribute": setter("action: upsert, key: X-First, from_attribute: username"),
    "headers_setter/unknown_attribute": setter("action: upsert, key: X-First, from_attribute: other"),
    "headers_setter/insert_twice": setter(
      "action: insert, key: X-First, value: one",
      "action: insert, key: X-First, value: two",
    ),
    "headers_setter/update": setter("action: update, key: X-First, value: one"),
    "headers_setter/update_own": setter(
      "action: upsert, key: X-First, value: one",
      "action: update, key: X-First, value: two",
    ),
    "headers_setter/update_exporters": setter("action: update, key: X-Own, value: one"),
    "headers_setter/delete_exporters": setter("action: delete, key: X-Own, value: ignored"),
    "headers_setter/upsert_exporters": setter("action: upsert, key: X-Own, value: one"),
    "headers_setter/and_token": `{ headers: [{ action: upsert, key: X-First, value: one }], additional_auth: bearertokenauth/one }`,
    "headers_setter/over_token": `{ headers: [{ action: upsert, key: authorization, value: mine }], additional_auth: bearertokenauth/one }`,
  };
}

/** Files that the extensions read. */
export const files: Readonly<Record<string, string>> = {
  name: "ada\n",
  password: "  secret with blanks \n",
  tokens: "\nfirst of two\nsecond\n",
};
