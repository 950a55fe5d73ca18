import { dump } from "js-yaml";
import { differences } from "./differences.ts";
import type { StackReport } from "./stackReport.ts";

/** The manifests as one YAML document for each stack, as `kubectl apply` reads them. */
export function yamlReport(reports: readonly StackReport[]): string {
  return reports
    .map(({ stack, policy }) => `---\n# Stack ${stack}\n${dump(policy, { lineWidth: -1, noRefs: true })}`)
    .join("");
}

/** Everything as JSON: `{stacks: [{stack, facts, policy, warnings}], differences: [{what, values}]}`. */
export function jsonReport(reports: readonly StackReport[]): string {
  return `${JSON.stringify({ stacks: reports, differences: differences(reports) }, undefined, 2)}\n`;
}
