import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fencedBlocks } from "../../support/markdown.ts";
import { createNamespace, livePolicy } from "../support/cluster.ts";
import { Network } from "../support/network.ts";
import { Project } from "../support/stack.ts";
import { Walkthrough } from "./walkthrough.ts";

const DOCUMENT = "docs/add-a-stack.md";
const NAMESPACE = "e2e-add-a-stack";

let project: Project;

/** The one key of all stacks, whatever region each is in. */
const KEY = "awskms://alias/runner-egress-state?region=REGION";

beforeAll(async () => {
  project = await Project.copy();
  const network = { name: "techops-dev", prefix: "10.2", region: "eu-west-1", ipFamily: "ipv6" as const };
  await Promise.all([Network.create(network), createNamespace(NAMESPACE)]);
});
afterAll(() => project.remove());

it("a newcomer gets a third stack by following the page", async () => {
  const walk = new Walkthrough(DOCUMENT, project, {
    substitutions: [{ of: ` --secrets-provider '${KEY}'`, by: "", why: "the suite's AWS has no such key" }],
  });
  await walk.run('export PATH="$PWD/node_modules/.bin:$PATH" # the project\'s own node');

  const path = join(project.directory, "Pulumi.dev.yaml");
  const written = load(await readFile(path, "utf8").catch(() => "{}")) as object;
  const { config } = load(fencedBlocks(DOCUMENT, "yaml")[0]?.text ?? "") as { config: Record<string, object> };
  // The suite's one cluster has keeperhub's runners already, and its API server is in no EKS.
  const here = {
    "runner-egress:cluster": { ...config["runner-egress:cluster"], context: process.env.E2E_CONTEXT },
    "runner-egress:runner": { namespace: NAMESPACE },
  };
  await writeFile(path, dump({ ...written, config: { ...config, ...here } }));

  const before = await project.run("npm", ["start", "--silent"]);
  expect(before.output).toContain("npm run record -- --stack dev");
  expect(before.stdout).toMatch(/^staging\n[\s\S]*\nprod\n/);

  expect(await walk.run("npm run record -- --stack dev")).toContain("facts/dev.json: written");
  const shown = await walk.run("npm start -- --stack dev");
  expect(shown).toMatch(/^dev$/m);
  expect(shown).toContain("✅ runner-egress@v");
  expect(await livePolicy(NAMESPACE)).toBeUndefined();
});
