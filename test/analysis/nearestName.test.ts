import { expect, it } from "vitest";
import { nearestName } from "../../analysis/nearestName.ts";

const NAMES = ["vpc", "databaseSubnets", "cluster", "adopt"];

it.each([
  ["adpot", "adopt"],
  ["Adopt", "adopt"],
  ["databasesubnet", "databaseSubnets"],
  ["clutser", "cluster"],
  ["vcp", "vpc"],
  ["vpc", "vpc"],
])("%s was meant to be %s", (name, nearest) => {
  expect(nearestName(name, NAMES)).toBe(nearest);
});

it.each(["x".repeat(12), "destinations", ""])("%j was meant to be none of them", (name) => {
  expect(nearestName(name, NAMES)).toBeUndefined();
});
