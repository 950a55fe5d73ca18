import { expect } from "vitest";
import { readConfig } from "../../program/config/readConfig.ts";
import type { StackConfig } from "../../program/config/stackConfig.ts";

/** Config by key; objects as in the stack's file. */
export type Values = Record<string, unknown>;

/** The day on which the tests read a config. */
export const TODAY = "2026-12-01";

const GOOD: Values = {
  "aws:region": "us-east-1",
  "runner-egress:cluster": { eks: "techops-staging" },
  "runner-egress:vpc": { name: "techops-staging" },
  "runner-egress:databaseSubnets": { subnetGroup: "techops-staging-db" },
};

/** Reads a config that differs from a good one; values as `pulumi config` keeps them, all text. */
export function read(changes: Values): StackConfig {
  const values = Object.entries({ ...GOOD, ...changes })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
  return readConfig({ project: "runner-egress", stack: "staging", values: Object.fromEntries(values), today: TODAY });
}

/** The problems of such a config, as their reader sees them. */
export function problemsOf(changes: Values): string[] {
  try {
    read(changes);
  } catch (error) {
    const [heading, ...lines] = (error as Error).message.split("\n");
    expect(heading).toBe("The config of stack staging can't be used:");
    return lines.map((line) => line.slice(4));
  }
  return [];
}
