import { describe, expect, it } from "vitest";
import { egress, files } from "../../support/cli.ts";
import { block, policy } from "../../support/policies.ts";

const STAGING = ["--policy", "docs/examples/runner-staging.yaml"];
const FORMS =
  "Destinations are 10.1.7.7:443/tcp, [fd00:ec2::254]:80, service/NAMESPACE/NAME:PORT, pod/NAMESPACE/NAME:PORT or a host name.";

const ONE_STDIN = "- stands for stdin, which can be read only once; name a file for all but one of them\n";

describe("a command line that is wrong ends with 3, a message on stderr and nothing on stdout", () => {
  it.each<[string[], string]>([
    [["explian"], "error: unknown command 'explian'\n(Did you mean explain?)\n(--help shows usage and examples)\n"],
    [["explain", ...STAGING], "error: missing required argument 'destination'\n(--help shows usage and examples)\n"],
    [["explain", "10.0.0.1:1"], "say which policies are meant: --policy FILE, --stack NAME or --context NAME\n"],
    [
      ["explain", "10.0.0.1:1", ...STAGING, "--semantics", "cilium"],
      "error: option '--semantics <name>' argument 'cilium' is invalid. Allowed choices are kubernetes, vpc-cni.\n(--help shows usage and examples)\n",
    ],
    [
      ["explain", "10.0.0.1:1", ...STAGING, "--node-ip", "fd00::1"],
      "--node-ip fd00::1: is ipv6, but the cluster is ipv4; see --ip-family\n",
    ],
    [["explain", "10.0.0.1:1", ...STAGING, "--node-ip", "node"], "--node-ip node: is no address\n"],
    [
      ["explain", "10.0.0.1:1", ...STAGING, "--semantics", "vpc-cni", "--no-ip-block-pods"],
      "--no-ip-block-pods is about Kubernetes; the AWS agent always matches pods by address\n",
    ],
    [
      ["explain", "10.0.0.1:1", ...STAGING, "--pod-label", "app"],
      "--pod-label app: a label is KEY=VALUE, such as app=workflow-runner\n",
    ],
    [["explain", "-", "--policy", "-"], ONE_STDIN],
    [["explain", "8.8.8.8:1", "--policy", "-", "--policy", "-"], ONE_STDIN],
    [["explain", "8.8.8.8:1", "--policy", "-", "--inventory", "-"], ONE_STDIN],
    [["diff", "-", "-"], ONE_STDIN],
    [["review", "staging=-", "-"], ONE_STDIN],
    [
      ["diff", "--lines", "--pod-label", "app=web", "--limit", "3"],
      "--limit, --pod-label: has no effect with diff --lines, where each line says which pod sends (pod)\n",
    ],
    [
      ["report", ...STAGING, "--agent-version", "junk"],
      '--agent-version: "junk" is not an agent version, which is MAJOR.MINOR.PATCH such as 1.3.7\n',
    ],
    [
      ["report", ...STAGING, "--out", "docs"],
      "--out docs can't be written: EISDIR: illegal operation on a directory, open 'docs'\n",
    ],
    [["check", "docs", ...STAGING], "docs: is a folder; name a file\n"],
    [
      ["diff", "a.yaml"],
      "diff needs two sides: diff BEFORE AFTER (files, folders, stack:NAME or context:NAME), or diff --lines\n",
    ],
    [["diff", "a", "b", "--lines"], "diff --lines reads stdin and takes no BEFORE and AFTER\n"],
    [["diff", "a", "b", "--limit", "many"], "--limit many: must be a whole number, 0 for no limit\n"],
    [
      ["diff", "a", "b", "--names", "10.0.0.0/8"],
      "--names 10.0.0.0/8: a name is given as CIDR=NAME, such as 10.1.0.0/16=staging-vpc\n",
    ],
    [
      ["diff", "a", "b", "--names", "10.0.0.1/8=x"],
      '--names: "10.0.0.1/8" has host bits set; the block is 10.0.0.0/8\n',
    ],
  ])("%j", async (args, stderr) => {
    expect(await egress(args)).toEqual({ code: 3, stdout: "", stderr });
  });
});

describe("a destination that is none", () => {
  it.each([
    ["10.0.0.1", '"10.0.0.1" has no port; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp'],
    [
      "10.0.0.1:65536",
      '"10.0.0.1:65536" has port 65536, above 65535; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
    ],
    [
      "10.0.0.1:1/http",
      '"10.0.0.1:1/http" has protocol http, not one of tcp, udp, sctp, icmp, icmpv6, gre; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
    ],
    // Addresses in disguise, which some programs resolve: never taken for host names.
    [
      "2130706433:80",
      '"2130706433:80" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
    ],
    ["127.1:80", '"127.1:80" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp'],
    [
      "0x7f000001:80",
      '"0x7f000001:80" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
    ],
    [
      "https://example.com",
      '"https://example.com" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp',
    ],
  ])("%s", async (text, message) => {
    expect(await egress(["explain", text, ...STAGING])).toEqual({
      code: 3,
      stdout: "",
      stderr: `${message}\n${FORMS}\n`,
    });
  });

  it.each([
    [
      "service/web:80",
      `"service/web:80" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp\n${FORMS}`,
    ],
    ["pod/shop/web", '"pod/shop/web" is not pod/NAMESPACE/NAME:PORT, such as pod/shop/web:443'],
    ["pod/shop/web:0", '"pod/shop/web:0": a port of a pod or Service is 1 to 65535 with protocol tcp, udp or sctp'],
    [
      "pod/shop/web:1/icmp",
      '"pod/shop/web:1/icmp": a port of a pod or Service is 1 to 65535 with protocol tcp, udp or sctp',
    ],
  ])("%s, of an object", async (text, message) => {
    expect(await egress(["explain", text, ...STAGING])).toEqual({ code: 3, stdout: "", stderr: `${message}\n` });
  });

  it("has no verdict under Kubernetes with a protocol that policies do not know", async () => {
    expect(await egress(["explain", "10.0.0.1/icmp", ...STAGING])).toEqual({
      code: 3,
      stdout: "",
      stderr: "10.0.0.1/icmp: ICMP has no verdict under kubernetes semantics\n",
    });
    expect(await egress(["explain", "10.0.0.1/icmp", ...STAGING, "--semantics", "vpc-cni"])).toMatchObject({ code: 1 });
  });

  it("is not in the inventory", async () => {
    const args = [...STAGING, "--inventory", "docs/examples/cluster.yaml"];
    expect((await egress(["explain", "service/keeperhub/sandbocks:80", ...args])).stderr).toBe(
      "service/keeperhub/sandbocks:80: the inventory has no service keeperhub/sandbocks; in that namespace it has sandbox\n",
    );
  });

  it("of a list is reported with all others, by its line", async () => {
    const stdin = "8.8.8.8:443\n10.0.0.1\n# fine\n[::1:80\n";
    expect(await egress(["explain", "-", ...STAGING], { stdin })).toEqual({
      code: 3,
      stdout: "",
      stderr:
        'stdin line 2: "10.0.0.1" has no port; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp\n' +
        'stdin line 4: "[::1:80" has no address; a destination is ADDRESS:PORT/PROTOCOL, such as 10.1.7.7:443/tcp\n' +
        `${FORMS}\n`,
    });
  });

  it("of an empty list is an error: nothing would be checked", async () => {
    expect(await egress(["explain", "-", ...STAGING], { stdin: "# none\n" })).toEqual({
      code: 3,
      stdout: "",
      stderr: "stdin has no destination, so nothing would be checked\n",
    });
  });
});

describe("files that cannot be read", () => {
  /** Runs `explain` on some files; `FOLDER` stands for where they are. */
  async function explain(contents: Record<string, unknown>, ...names: string[]) {
    const at = files(contents);
    const result = await egress(["explain", "10.0.0.1:1", ...names.flatMap((name) => ["-f", at(name)])]);
    return { ...result, stderr: result.stderr.replaceAll(at(), "FOLDER") };
  }

  it.each<[string, Record<string, unknown>, string[], string]>([
    ["none", {}, ["p.yaml"], "FOLDER/p.yaml: there is no such file or folder\n"],
    [
      "an empty folder",
      { "notes.txt": "" },
      [""],
      "FOLDER: the folder has no .yaml, .yml or .json file; files in folders below are not read\n",
    ],
    [
      "no YAML",
      { "p.yaml": "a: 1\nb: [" },
      ["p.yaml"],
      "FOLDER/p.yaml:2:5: not YAML: unexpected end of the stream within a flow collection\n",
    ],
    [
      "a key used twice",
      { "p.yaml": "kind: A\nkind: B\n" },
      ["p.yaml"],
      "FOLDER/p.yaml:2:1: not YAML: duplicated mapping key\n",
    ],
    [
      "no object",
      { "p.yaml": "- 1\n" },
      ["p.yaml"],
      "FOLDER/p.yaml: no Kubernetes object, which has apiVersion and kind\n",
    ],
    [
      "no kind",
      { "p.yaml": "spec: {}\n" },
      ["p.yaml"],
      "FOLDER/p.yaml: no Kubernetes object, which has apiVersion and kind\n",
    ],
    ["no policy", { "p.yaml": "" }, ["p.yaml"], "there is no NetworkPolicy; with none, a pod may reach everything\n"],
    [
      "a policy twice",
      { "a.json": policy([]), "b.json": policy([]) },
      ["a.json", "b.json"],
      "FOLDER/b.json: NetworkPolicy keeperhub/runner is in FOLDER/a.json too; a cluster has only one of them, so give the files of one cluster\n",
    ],
    [
      "problems in several files, all of them named",
      {
        "a.yaml": `${JSON.stringify(policy([block("10.0.0.0/33")]))}\n---\n${JSON.stringify(policy([block("10.0.0.0/8", { ports: [{ port: "HTTP" }] })]))}`,
        "b.json": { kind: "List", items: [{ kind: "Pod" }, policy([{ too: [] }])] },
        "c.json": { ...policy([]), apiVersion: "extensions/v1beta1" },
      },
      ["a.yaml", "b.json", "c.json"],
      `Not a NetworkPolicy that the API server would accept:
  - FOLDER/a.yaml document 1: spec.egress[0].to[0].ipBlock.cidr: "10.0.0.0/33" has prefix length 33; ipv4 allows 0 to 32
  - FOLDER/a.yaml document 2: spec.egress[0].ports[0].port is "HTTP": must be a number from 1 to 65535 or a port name (a-z, 0-9, -; at most 15)
  - FOLDER/b.json items[1]: spec.egress[0].too is []: is not a field here; known are to, ports
  - FOLDER/c.json: apiVersion is "extensions/v1beta1": only networking.k8s.io/v1 can be analysed
`,
    ],
  ])("%s", async (_, contents, names, stderr) => {
    expect(await explain(contents, ...names)).toEqual({ code: 3, stdout: "", stderr });
  });

  it("two policies without a name are two policies", async () => {
    const unnamed = policy([], { metadata: { name: undefined } });
    expect(await explain({ "p.json": { kind: "List", items: [unnamed, unnamed] } }, "p.json")).toMatchObject({
      code: 1,
    });
  });

  it("are told by where JSON ends", async () => {
    const { code, stderr } = await explain({ "p.json": '{"kind": ' }, "p.json");
    expect(code).toBe(3);
    expect(stderr).toMatch(/^FOLDER\/p\.json: not JSON: Unexpected end of JSON input/);
  });

  it("an inventory without the namespaces would hide labels", async () => {
    const at = files({
      "pods.json": { kind: "List", items: [{ kind: "Pod", metadata: { name: "p", namespace: "n" }, spec: {} }] },
    });
    const { code, stderr } = await egress(["explain", "10.0.0.1:1", ...STAGING, "--inventory", at("pods.json")]);
    expect(code).toBe(3);
    expect(stderr).toContain('  - namespace "n": has a Pod or Service in the inventory but no Namespace');
  });
});

describe("kinds beside NetworkPolicy", () => {
  it.each([
    ["networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy"],
    ["networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"],
    ["policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"],
    ["cilium.io/v2", "CiliumNetworkPolicy"],
    ["projectcalico.org/v3", "NetworkPolicy"],
    ["projectcalico.org/v3", "GlobalNetworkPolicy"],
  ])("%s %s restricts egress too, so nothing is concluded", async (apiVersion, kind) => {
    const at = files({ "policies.json": { kind: "List", items: [policy([]), { apiVersion, kind }] } });
    expect(await egress(["explain", "10.0.0.1:1", "--policy", at("policies.json")])).toEqual({
      code: 2,
      stdout: "",
      stderr: `${at("policies.json")} items[1]: ${apiVersion} ${kind} restricts egress too and is not analysed, so no verdict holds\n`,
    });
  });

  it("others are left out with a note, each kind counted", async () => {
    const items = [{ kind: "Service" }, policy([]), { kind: "ConfigMap" }, { kind: "Service" }];
    const at = files({ "all.json": { kind: "List", items } });
    expect(await egress(["explain", "10.0.0.1:1", "--policy", at("all.json")])).toMatchObject({
      code: 1,
      stderr: "left out, because only NetworkPolicies count: 1 ConfigMap, 2 Service\n",
    });
  });

  it("what is no object is left out of a folder, with a note", async () => {
    const at = files({ "values.yaml": "replicas: 2\n", "p.json": policy([]) });
    expect(await egress(["explain", "10.0.0.1:1", "--policy", at()])).toMatchObject({
      code: 1,
      stderr: `${at("values.yaml")}: no Kubernetes object (it has no kind), left out\n`,
    });
  });
});
