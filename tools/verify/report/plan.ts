import { dump } from "js-yaml";
import { formatPoint } from "../../../analysis/point.ts";
import { layout } from "../../layout.ts";
import type { Prepared } from "../verify.ts";
import { planJson, toText } from "./json.ts";
import { findingsText, section, uncoveredText } from "./text.ts";
import { EXPECTED_WORDS } from "./words.ts";

/** What a run would do: targets and findings for people, all of it for machines, or the manifests as they would be sent. */
export const PLAN_REPORTS = {
  table: ({ findings, plan, semantics }: Prepared): string => {
    const rows = plan.targets.map((target) => [
      target.id,
      EXPECTED_WORDS[target.expected],
      formatPoint(target.point),
      target.name,
    ]);
    return [
      `Targets, expectations under ${semantics.name}\n`,
      `${layout([["", "expected", "address", "what"], ...rows], "  ")}\n`,
      section("Not tried", uncoveredText(plan.uncovered)),
      section("Before the probes", findingsText(findings)),
    ].join("");
  },
  json: ({ findings, plan, semantics, jobs }: Prepared): string =>
    toText({ semantics: semantics.name, ...planJson(plan), findings, manifests: jobs ?? [] }),
  yaml: ({ jobs }: Prepared): string =>
    (jobs ?? []).map((job) => `---\n${dump(job, { lineWidth: -1, noRefs: true })}`).join(""),
};
