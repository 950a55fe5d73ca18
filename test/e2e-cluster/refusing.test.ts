import { beforeAll, expect, it } from "vitest";
import { leftovers, runInLab, setUpLab } from "./lab.ts";

beforeAll(setUpLab);

it("an enforcer that refuses instead of dropping is told apart from one that is off, and never verified", async () => {
  const { code, output } = await runInLab({ converge: 5 });
  const { status, targets, summary } = JSON.parse(output) as {
    status: string;
    summary: string;
    targets: { expected: string; control: string; runner: string; verdict: string; because: string }[];
  };
  expect(code).toBe(1);
  expect(status).toBe("contradicted");
  const denied = targets.filter(({ expected }) => expected === "deny");
  expect(denied.map(({ runner }) => runner)).toEqual(denied.map(() => "refused"));
  const listening = denied.filter(({ control }) => control === "connected");
  expect(listening.length).toBeGreaterThan(3);
  expect(listening.map(({ verdict }) => verdict)).toEqual(listening.map(() => "rejected"));
  expect(summary).toContain("something in between answers for it");
  expect(targets.filter(({ expected, verdict }) => expected === "allow" && verdict !== "allowed")).toEqual([]);
  expect(leftovers()).toBe("");
});
