import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/*
 * `npm run e2e:cluster`: for each kind of enforcer a cluster of its own, and in it the tests that need it. The clusters
 * come from RUNNER_EGRESS_LAB_CLUSTER, a program that is called as `with-cluster --enforcer NAME COMMAND...`.
 */

const withCluster = resolve(process.env.RUNNER_EGRESS_LAB_CLUSTER ?? "../shared/lab-cluster/with-cluster");

/** Enforcers, each with the test file for it. */
const SUITES = [
  ["kube-router", "enforced"],
  ["kube-router", "access"],
  ["kube-router-reject", "refusing"],
  ["none", "ignored"],
] as const;

if (!existsSync(withCluster)) {
  console.error(`!!! NOT RUN: no cluster for the tests at ${withCluster}; set RUNNER_EGRESS_LAB_CLUSTER`);
  process.exit(process.env.CI === undefined ? 0 : 1);
}

const chosen = process.argv.slice(2);
const reports = mkdtempSync(join(tmpdir(), "egress-e2e-cluster-"));
const totals = { numPassedTests: 0, numFailedTests: 0 };
let failed = false;
for (const [enforcer, name] of SUITES.filter(([, name]) => chosen.length === 0 || chosen.includes(name))) {
  const report = join(reports, `${name}.json`);
  const vitest = ["vitest", "run", "--config", "test/e2e-cluster/vitest.config.ts", `test/e2e-cluster/${name}.test.ts`];
  console.log(`\n=== ${name}, enforcer ${enforcer}`);
  const { status } = spawnSync(withCluster, ["--enforcer", enforcer, ...vitest], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, VITEST_REPORT: report, RUNNER_EGRESS_LAB_CLUSTER: withCluster },
  });
  const counts = existsSync(report) ? (JSON.parse(readFileSync(report, "utf8")) as typeof totals) : undefined;
  totals.numPassedTests += counts?.numPassedTests ?? 0;
  totals.numFailedTests += counts?.numFailedTests ?? 1;
  failed ||= status !== 0;
}
rmSync(reports, { recursive: true });
if (process.env.VITEST_REPORT !== undefined) {
  writeFileSync(process.env.VITEST_REPORT, JSON.stringify(totals));
}
console.log(`\n${totals.numPassedTests} passed, ${totals.numFailedTests} failed`);
process.exitCode = failed ? 1 : 0;
