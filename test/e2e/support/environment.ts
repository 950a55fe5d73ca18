import { run } from "./command.ts";

/**
 * What keeps the end-to-end suites from running here: the environment is not complete, or is somebody's real one. They
 * create VPCs, namespaces and stacks and remove none of them. `undefined` where nothing does.
 */
export async function whatIsMissing(): Promise<string | undefined> {
  const problems: string[] = [];
  const { AWS_ENDPOINT_URL = "", PULUMI_BACKEND_URL = "" } = process.env;
  if (!isLoopback(AWS_ENDPOINT_URL)) {
    problems.push(
      `AWS_ENDPOINT_URL is ${JSON.stringify(AWS_ENDPOINT_URL)}; it must be an AWS-compatible API on loopback`,
    );
  }
  if (!PULUMI_BACKEND_URL.startsWith("file://")) {
    problems.push(
      `PULUMI_BACKEND_URL is ${JSON.stringify(PULUMI_BACKEND_URL)}; it must be a file:// that may be thrown away`,
    );
  }
  const version = await run("pulumi", ["version"]).catch(() => undefined);
  if (version?.status !== 0) {
    problems.push("pulumi is not on PATH");
  }
  const server = await jsonpath("{.clusters[0].cluster.server}");
  if (server === undefined) {
    problems.push("kubectl is not on PATH, or KUBECONFIG has no current context");
  } else if (!isLoopback(server)) {
    problems.push(`the current context leads to ${server}; it must be a cluster on loopback`);
  }
  // A tunnel to a real cluster ends on loopback, too.
  const namespace = await run("kubectl", ["get", "namespace", "keeperhub", "-o", "name"]).catch(() => undefined);
  if (namespace?.status === 0) {
    problems.push("the cluster has a namespace keeperhub already; it may be a real one");
  }
  return problems.length > 0
    ? `it needs a throw-away environment (CONTRIBUTING.md): ${problems.join("; ")}`
    : undefined;
}

/** The context of the cluster, which is the current one. */
export async function currentContext(): Promise<string> {
  return (await jsonpath("{.current-context}")) ?? "";
}

async function jsonpath(path: string): Promise<string | undefined> {
  const outcome = await run("kubectl", ["config", "view", "--minify", "-o", `jsonpath=${path}`]).catch(() => undefined);
  return outcome?.status === 0 && outcome.stdout !== "" ? outcome.stdout : undefined;
}

function isLoopback(url: string): boolean {
  return URL.canParse(url) && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(url).hostname);
}
