import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  accessFrom,
  type Kubeconfig,
  type KubeconfigCluster,
  type KubeconfigUser,
  readKubeconfig,
} from "../../kube/kubeconfig.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const config = (user: KubeconfigUser = {}, cluster: Partial<KubeconfigCluster> = {}): Kubeconfig => ({
  "current-context": "c",
  contexts: [{ name: "c", context: { cluster: "k", user: "u" } }],
  clusters: [{ name: "k", cluster: { server: "https://k", ...cluster } }],
  users: [{ name: "u", user }],
});
const base64 = (text: string) => Buffer.from(text).toString("base64");
const access = { server: "https://k", skipVerify: false };

describe("accessFrom", () => {
  it.each<[string, KubeconfigUser, Partial<KubeconfigCluster>, object]>([
    ["nothing but a server", {}, {}, {}],
    ["a token", { token: "t" }, {}, { token: "t" }],
    ["a token file, which wins", { token: "old", tokenFile: file("token", "new\n") }, {}, { token: "new" }],
    ["a password", { username: "a", password: "b" }, {}, { basic: { username: "a", password: "b" } }],
    [
      "a client certificate",
      { "client-certificate-data": base64("cert"), "client-key": file("key", "key") },
      {},
      { clientCertificate: "cert", clientKey: "key" },
    ],
    [
      "somebody else's rights",
      { token: "t", as: "robot", "as-groups": ["a", "b"] },
      {},
      { token: "t", impersonated: { user: "robot", groups: ["a", "b"] } },
    ],
    ["an authority in the file", {}, { "certificate-authority-data": base64("ca") }, { certificateAuthority: "ca" }],
    ["an authority in a file", {}, { "certificate-authority": file("ca", "ca") }, { certificateAuthority: "ca" }],
    [
      "TLS settings and a proxy",
      {},
      { "insecure-skip-tls-verify": true, "tls-server-name": "n", "proxy-url": "http://p" },
      { skipVerify: true, serverName: "n", proxy: "http://p" },
    ],
  ])("reads %s", async (_, user, cluster, expected) => {
    expect(await accessFrom(config(user, cluster))).toEqual({ ...access, ...expected });
  });

  it("takes the context that it is told", async () => {
    const two = config({ token: "t" });
    const other = { name: "d", context: { cluster: "k", user: "nobody" } };
    const both = { ...two, contexts: [...(two.contexts ?? []), other] };
    expect(await accessFrom(both, "d")).toEqual(access);
    expect(await accessFrom(both, "c")).toEqual({ ...access, token: "t" });
  });

  it.each<[string, Kubeconfig, string | undefined, string]>([
    ["no such context", config(), "x", 'the kubeconfig has no context "x"; it has c'],
    ["no context at all", {}, undefined, "the kubeconfig has no context undefined; it has none"],
    [
      "no such cluster",
      { ...config(), clusters: [] },
      undefined,
      "the kubeconfig's context c names the cluster k, which it does not have",
    ],
    [
      "an auth-provider",
      config({ "auth-provider": {} }),
      undefined,
      "user u has an auth-provider, which kubectl dropped in 1.26; use exec",
    ],
  ])("refuses %s", async (_, kubeconfig, context, message) => {
    await expect(accessFrom(kubeconfig, context)).rejects.toThrow(message);
  });
});

describe("a credential command", () => {
  const exec = (script: string, env: { name: string; value: string }[] = []) =>
    config({
      exec: { apiVersion: "client.authentication.k8s.io/v1", command: process.execPath, args: ["-e", script], env },
    });

  it("is run with its own environment and told who asks", async () => {
    const script = `
      const { apiVersion, spec } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      console.log(JSON.stringify({ status: { token: [process.env.WHO, apiVersion, spec.interactive].join() } }))`;
    expect(await accessFrom(exec(script, [{ name: "WHO", value: "me" }]))).toMatchObject({
      token: "me,client.authentication.k8s.io/v1,false",
    });
  });

  it("may print a certificate", async () => {
    const script = `console.log('{"status":{"clientCertificateData":"cert","clientKeyData":"key"}}')`;
    expect(await accessFrom(exec(script))).toEqual({ ...access, clientCertificate: "cert", clientKey: "key" });
  });

  it("that fails is quoted with what it said", async () => {
    const script = "console.error('The SSO session has expired'); process.exit(1)";
    await expect(accessFrom(exec(script))).rejects.toThrow(
      /^the credential command ".*" failed: The SSO session has expired$/s,
    );
  });

  it("that is not installed is named", async () => {
    const missing = config({ exec: { apiVersion: "v1", command: "no-such-command-here", args: ["eks", "get-token"] } });
    await expect(accessFrom(missing)).rejects.toThrow(
      'the credential command "no-such-command-here eks get-token" failed: it is not installed or not on PATH',
    );
  });

  it.each(["{}", '{"status":{}}'])("that prints %s is refused", async (printed) => {
    await expect(accessFrom(exec(`console.log('${printed}')`))).rejects.toThrow(
      /printed neither a token nor a certificate$/,
    );
  });

  it("that prints no JSON is refused", async () => {
    await expect(accessFrom(exec("console.log('Please log in')"))).rejects.toThrow(/printed no JSON/);
  });
});

describe("readKubeconfig", () => {
  it("merges the files of KUBECONFIG, the first mention first, with paths relative to each file", async () => {
    const first = file(
      "first",
      "current-context: c\nclusters: [{name: k, cluster: {server: 'https://k', certificate-authority: ca}}]\n",
    );
    const second = file(
      "second",
      "current-context: d\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nusers: [{name: u, user: {tokenFile: token}}]\n" +
        "clusters: [{name: k, cluster: {server: 'https://other'}}]\n",
    );
    file("ca", "ca");
    file("token", "new");
    const merged = await readKubeconfig({ KUBECONFIG: ["", first, join(folder, "nowhere"), second].join(delimiter) });
    expect(await accessFrom(merged)).toEqual({ ...access, certificateAuthority: "ca", token: "new" });
  });

  it("accepts an empty file", async () => {
    expect(await readKubeconfig({ KUBECONFIG: file("empty", "") })).toEqual({ clusters: [], users: [], contexts: [] });
  });

  it("names the only file if it is missing", async () => {
    await expect(readKubeconfig({ KUBECONFIG: join(folder, "nowhere") })).rejects.toThrow(/ENOENT.*nowhere/);
  });
});
