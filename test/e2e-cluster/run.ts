import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { readCounts } from "../../dev/counts.ts";
import { AWS, isInstalled } from "../../dev/tool.ts";
import { CLEAN, FINDING, INCONCLUSIVE, USAGE_ERROR } from "../../tools/exitCodes.ts";

/*
 * `npm run e2e:cluster`: for each kind of enforcer a cluster of its own, and in it the tests that need it. The clusters
 * come from RUNNER_EGRESS_LAB_CLUSTER, a program that is called as `with-cluster --enforcer NAME COMMAND...`. The tests of the
 * whole pipeline also need the environment of `npm run e2e` inside it, from RUNNER_EGRESS_WITH_LAB, called as `with-lab COMMAND...`.
 */

const withCluster = resolve(process.env.RUNNER_EGRESS_LAB_CLUSTER ?? "../shared/lab-cluster/with-cluster");
const withLab = resolve(process.env.RUNNER_EGRESS_WITH_LAB ?? "../shared/lab/with-lab");

interface Suite {
  readonly enforcer: "kube-router" | "kube-router-reject" | "none";
  /** Its test file. */
  readonly name: string;
  /** Whether it needs Pulumi and AWS, too. */
  readonly needsLab?: true;
}

const SUITES: readonly Suite[] = [
  { enforcer: "kube-router", name: "enforced" },
  { enforcer: "kube-router", name: "access" },
  { enforcer: "kube-router", name: "pipeline", needsLab: true },
  { enforcer: "kube-router-reject", name: "refusing" },
  { enforcer: "none", name: "ignored" },
];

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(`e2e:cluster has no ${unknown.join(", ")}; it has ${SUITES.map(({ name }) => name).join(", ")}`);
  process.exit(USAGE_ERROR);
}
const reports = mkdtempSync(join(tmpdir(), "egress-e2e-cluster-"));
const totals = { numPassedTests: 0, numFailedTests: 0 };
/** Suites that could not run, by the reason. */
const left = new Map<string, string[]>();
let failed = false;
for (const suite of SUITES.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  const missing = await whatIsMissing(suite);
  if (missing !== undefined) {
    left.set(missing, [...(left.get(missing) ?? []), suite.name]);
    continue;
  }
  console.log(`\n=== ${suite.name}, enforcer ${suite.enforcer}`);
  const report = join(reports, `${suite.name}.json`);
  const { status } = spawnSync(withCluster, ["--enforcer", suite.enforcer, ...commandOf(suite)], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      VITEST_REPORT: report,
      RUNNER_EGRESS_LAB_CLUSTER: withCluster,
      E2E_AWS_FOLDER: dirname(AWS.path),
    },
  });
  const { passed, failed: bad } = readCounts(report);
  totals.numPassedTests += passed;
  // A cluster that is there and in which no test ran has failed.
  totals.numFailedTests += passed + bad === 0 ? 1 : bad;
  failed ||= status !== 0 || passed + bad === 0;
}
rmSync(reports, { recursive: true });
if (process.env.VITEST_REPORT !== undefined) {
  writeFileSync(process.env.VITEST_REPORT, JSON.stringify(totals));
}
if (totals.numPassedTests + totals.numFailedTests > 0) {
  console.log(`\n${totals.numPassedTests} passed, ${totals.numFailedTests} failed`);
}
for (const [reason, names] of left) {
  console.error(`NOT RUN: e2e:cluster (${names.join(", ")}): ${reason}`);
}
process.exitCode = failed ? FINDING : left.size > 0 ? INCONCLUSIVE : CLEAN;

async function whatIsMissing({ needsLab }: Suite): Promise<string | undefined> {
  if (!existsSync(withCluster)) {
    return `no cluster for the tests at ${withCluster}; set RUNNER_EGRESS_LAB_CLUSTER`;
  }
  if (needsLab && !existsSync(withLab)) {
    return `no lab at ${withLab}; set RUNNER_EGRESS_WITH_LAB`;
  }
  // Here, because inside there is no way to a registry.
  if (needsLab && spawnSync(withLab, ["true"], { stdio: ["ignore", "inherit", "inherit"] }).status !== 0) {
    return `${withLab} does not work`;
  }
  return needsLab && !(await isInstalled(AWS))
    ? `${AWS.name} could not be installed; it needs ${AWS.needs}`
    : undefined;
}

function commandOf({ name, needsLab }: Suite): string[] {
  const vitest = ["vitest", "run", "--config", "test/e2e-cluster/vitest.config.ts", `test/e2e-cluster/${name}.test.ts`];
  // The lab has a cluster of its own, and says where it is with the same variable.
  const keep = ["sh", "-c", 'export E2E_KUBECONFIG="$KUBECONFIG" && exec "$@"', "sh"];
  return needsLab ? [...keep, withLab, ...vitest] : vitest;
}
