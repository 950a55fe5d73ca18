import { beforeAll, expect, it } from "vitest";
import { leftovers, runInLab, setUpLab } from "./lab.ts";

beforeAll(setUpLab);

it("a cluster that ignores policies is contradicted, whatever its API server holds", async () => {
  const { code, output } = await runInLab({ converge: 5 });
  const { status, targets, findings, openSeconds } = JSON.parse(output) as {
    status: string;
    openSeconds?: number;
    findings: { check: string; level: string }[];
    targets: { expected: string; assessment: string }[];
  };
  expect(code).toBe(1);
  expect(status).toBe("contradicted");
  // Nothing but the probes knows.
  expect(findings.filter(({ level }) => level !== "ok" && level !== "note")).toEqual([]);
  const denied = targets.filter(({ expected }) => expected === "deny");
  expect(denied.map(({ assessment }) => assessment)).toEqual(denied.map(() => "contradicted"));
  expect(openSeconds).toBeUndefined();
  expect(leftovers()).toBe("");
});
