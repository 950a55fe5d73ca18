import { junitXml } from "../../junit.ts";
import type { CheckedSemantics } from "../commands/check.ts";
import type { Question } from "../input/question.ts";
import { describeSemantics } from "./text.ts";

/** The result of `check` as JUnit XML: a suite for each semantics, a case for each assertion. */
export function checkJunit({ sender }: Question, checked: readonly CheckedSemantics[]): string {
  const cases = checked.flatMap(({ semantics, results }) =>
    results.map(({ name, outcome, text }) => ({
      suite: describeSemantics(semantics),
      name,
      ...((outcome === "fails" || outcome === "vacuous") && { failure: text }),
      ...(outcome === "inconclusive" && { error: text }),
    })),
  );
  return junitXml(`runner-egress check, from ${sender.text}`, "runner-egress check", cases);
}
