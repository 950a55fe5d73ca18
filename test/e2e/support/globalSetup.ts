import { run } from "./command.ts";

/**
 * Refuses to run where the environment is not complete or is somebody's real one, and says why. The suite creates
 * VPCs, namespaces and stacks and removes none of them.
 */
export default async function setup(): Promise<void> {
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
  if (version?.status !== 0) problems.push("pulumi is not on PATH");
  const server = await jsonpath("{.clusters[0].cluster.server}");
  if (server === undefined) problems.push("kubectl is not on PATH, or KUBECONFIG has no current context");
  else if (!isLoopback(server))
    problems.push(`the current context leads to ${server}; it must be a cluster on loopback`);
  if (problems.length > 0) {
    const list = problems.map((problem) => `  - ${problem}`).join("\n");
    throw new Error(`The end-to-end suite needs a throw-away environment, and this is none:\n${list}`);
  }
  process.env.E2E_CONTEXT = (await jsonpath("{.current-context}")) ?? "";
}

async function jsonpath(path: string): Promise<string | undefined> {
  const outcome = await run("kubectl", ["config", "view", "--minify", "-o", `jsonpath=${path}`]).catch(() => undefined);
  return outcome?.status === 0 && outcome.stdout !== "" ? outcome.stdout : undefined;
}

function isLoopback(url: string): boolean {
  return URL.canParse(url) && /^(127(\.\d+){3}|localhost|\[::1\])$/.test(new URL(url).hostname);
}
