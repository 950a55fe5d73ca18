import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import type { NetworkPolicy } from "../../analysis/networkPolicy.ts";
import { parseNetworkPolicies } from "../../analysis/parseNetworkPolicy.ts";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { runVerify, type VerifyOptions } from "../../tools/verify/run.ts";

/*
 * What the tests need inside `with-cluster`: the command runs in the node's own network namespace, which has no way out.
 */

export const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));

/** The image with a shell and stand-ins for agnhost and dig. */
export const IMAGE = "localhost/egress-verify:lab";

/** The namespace of the stack's policy. */
export const NAMESPACE = "keeperhub";

/** A public address that no list of special-purpose blocks holds back (AS112, RFC 7535). It exists only in here. */
export const PUBLIC_HOST = "192.31.196.10";

const NODE_IP = "10.1.0.10";

/** Runs a command and gives what it prints; throws with what it complained about. */
export function sh(command: string, args: readonly string[], input?: string): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    ...(input !== undefined && { input }),
    stdio: ["pipe", "pipe", "pipe"],
  });
}

export function kubectl(...args: readonly string[]): string {
  return sh("kubectl", args);
}

/** Applies an object or a list of them. */
export function apply(...objects: readonly unknown[]): void {
  sh("kubectl", ["apply", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
}

/** The stack's own policy for the network that the lab imitates, staging's. */
export function stackPolicy() {
  return buildRunnerPolicy(KEEPERHUB_CONTRACT, {
    vpc: { id: "vpc-lab", region: "us-east-1", ipv4Cidrs: ["10.1.0.0/16"], ipv6Cidrs: [] },
    databaseSubnets: ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"].map((cidr, index) => ({
      id: `subnet-${index}`,
      cidrs: [cidr],
    })),
    cluster: { name: "lab", ipFamily: "ipv4", serviceCidr: "172.20.0.0/16" },
    addOn: { networkPolicyEnabled: "unknown", acknowledged: [] },
  }).policy;
}

/** Brings up the image, a public host, KeeperHub's services and the stack's policy. */
export function setUpLab(): void {
  setUpPeers();
  apply(stackPolicy());
}

/** Brings up the image, a public host and KeeperHub's services. */
export function setUpPeers(): void {
  importImage();
  addHost("public", PUBLIC_HOST, [443]);
  kubectl("apply", "-f", join(FIXTURES, "keeperhub.yaml"));
  for (const name of ["keeperhub-sandbox", "keeperhub-executor", "keeperhub-web"]) {
    kubectl("-n", NAMESPACE, "rollout", "status", `deployment/${name}`, "--timeout=60s");
  }
}

/** The shell and `sleep` of this machine with their libraries, the lab's probe, and the two stand-ins. */
function importImage(): void {
  const root = mkdtempSync(join(tmpdir(), "egress-verify-image-"));
  const copy = (from: string, to: string) => {
    mkdirSync(dirname(join(root, to)), { recursive: true });
    copyFileSync(from, join(root, to));
    chmodSync(join(root, to), 0o755);
  };
  for (const name of ["sh", "sleep"]) {
    const path = sh("readlink", ["-f", `/bin/${name}`]).trim();
    copy(path, `/bin/${name}`);
    for (const [library] of sh("ldd", [path]).matchAll(/\/\S+/g)) {
      copy(library, library);
    }
  }
  copy(sh("sh", ["-c", "command -v probe"]).trim(), "/probe");
  copy(join(FIXTURES, "agnhost"), "/agnhost");
  copy(join(FIXTURES, "dig"), "/bin/dig");
  const pack = join(dirname(process.env.RUNNER_EGRESS_LAB_CLUSTER ?? ""), "probe-image", "pack");
  const architecture = sh("dpkg", ["--print-architecture"]).trim();
  const image = execFileSync(pack, [IMAGE, architecture, root, "/agnhost"], { maxBuffer: 1 << 28 });
  const file = join(root, "image.tar");
  writeFileSync(file, image);
  sh("ctr", ["images", "import", file]);
}

/** As the lab makes its hosts: a network namespace on a wire of its own to the node. */
export function addHost(name: string, address: string, ports: readonly number[]): void {
  const space = `verify-${name}`;
  const wire = `${name.slice(0, 10)}0`;
  for (const command of [
    `netns add ${space}`,
    `link add ${wire} type veth peer name eth0 netns ${space}`,
    `link set ${wire} up`,
    `route add ${address}/32 dev ${wire}`,
    `-n ${space} link set lo up`,
    `-n ${space} link set eth0 up`,
    `-n ${space} address add ${address}/32 dev eth0`,
    `-n ${space} route add ${NODE_IP} dev eth0`,
    `-n ${space} route add default via ${NODE_IP}`,
  ]) {
    sh("ip", command.split(" "));
  }
  const serve = `probe serve ${name} ${ports.join(" ")}`;
  sh("sh", ["-c", `nsenter --net=/run/netns/${space} ${serve} >/dev/null 2>&1 &`]);
}

/** How a run in here ended. */
export interface LabRun {
  readonly code: number;
  readonly output: string;
  readonly notes: readonly string[];
}

/** Options that a run in the lab has in common with the others; short times keep the suite short. */
export const QUICK = { converge: 20, hold: 3, attempt: 1, ttl: 5 } as const;

/** The docs' targets file, whose hosts are those of the lab and the public one that is added here. */
export const TARGETS_FILE = "docs/examples/verify-targets.yaml";

/** Its targets, all of which have to be proved here. */
export function labTargets(): { targets: unknown[]; accepted?: unknown[] } {
  const { targets } = load(readFileSync(TARGETS_FILE, "utf8")) as { targets: unknown[] };
  return { targets };
}

/** Runs `egress verify` in this process, with the stack's policy and the lab's hosts as targets. */
export async function runInLab({
  targets = labTargets(),
  ...options
}: VerifyOptions & { readonly targets?: unknown } = {}): Promise<LabRun> {
  let output = "";
  const notes: string[] = [];
  const code = await runVerify(
    parseNetworkPolicies([stackPolicy()])[0] as NetworkPolicy,
    targets,
    { image: IMAGE, imagePullPolicy: "Never", report: "json", ...QUICK, ...options },
    {
      write: (text) => {
        output += text;
      },
      note: (line) => notes.push(line),
      signal: new AbortController().signal,
    },
  );
  return { code, output, notes };
}

/** Names of what a run could have left behind. */
export function leftovers(): string {
  return kubectl("get", "jobs,pods", "-A", "-l", "app.kubernetes.io/name=egress-verify", "-o", "name").trim();
}
