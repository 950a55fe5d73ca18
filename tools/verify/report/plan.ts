import { dump } from "js-yaml";
import { layout } from "../../layout.ts";
import { targetAddress } from "../targets.ts";
import type { Prepared } from "../verify.ts";
import { planJson, toText } from "./json.ts";
import { findingsText, uncoveredText } from "./text.ts";
import { EXPECTED_WORDS } from "./words.ts";

/** How `--dry-run` shows a plan. */
export type PlanFormat = "table" | "json" | "yaml";

/** What a run would do: targets and findings for people, all of it for machines, or the manifests as they would be sent. */
export function planReport({ findings, plan, semantics, jobs }: Prepared, format: PlanFormat): string {
  switch (format) {
    case "json":
      return toText({ semantics: semantics.name, ...planJson(plan), findings, manifests: jobs ?? [] });
    case "yaml":
      return (jobs ?? []).map((job) => `---\n${dump(job, { lineWidth: -1, noRefs: true })}`).join("");
    case "table": {
      const rows = plan.targets.map((target) => [
        target.id,
        EXPECTED_WORDS[target.expected],
        targetAddress(target),
        target.name,
      ]);
      return [
        `Targets, expectations under ${semantics.name}\n`,
        `${layout([["", "expected", "address", "what"], ...rows], "  ")}\n`,
        ...section("Not tried", uncoveredText(plan.uncovered)),
        ...section("Before the probes", findingsText(findings)),
      ].join("");
    }
  }
}

function section(title: string, body: string): string[] {
  return body === "" ? [] : [`\n${title}\n${body}`];
}
