import { describe, expect, it } from "vitest";
import { readAddress } from "../../oracle/addresses.ts";
import type { Case } from "../../oracle/arbitraries.ts";
import { casesFrom } from "../../oracle/cases.ts";
import { SEMANTICS_NAMES } from "../../oracle/compare.ts";
import { countChange } from "../../oracle/count.ts";
import { kubernetesVerdict, kubernetesVerdictAt } from "../../oracle/kubernetes.ts";
import { boundaryPoints } from "../../oracle/points.ts";
import { vpcCniPod } from "../../oracle/vpcCni.ts";
import { egress } from "../../support/cli.ts";

/** The engine has its own, larger agreement tests; these hold what the command line does around it. */
const CASES = 150;

function casesWith(agent: Case["agent"]): Case[] {
  const cases: Case[] = [];
  for (const subject of casesFrom(5)) {
    if (subject.agent === agent && cases.push(subject) === CASES) {
      break;
    }
  }
  return cases;
}

async function answers(args: readonly string[], lines: readonly object[]): Promise<Record<string, unknown>[]> {
  const { stdout } = await egress(args, { stdin: lines.map((line) => `${JSON.stringify(line)}\n`).join("") });
  return stdout
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe.each(SEMANTICS_NAMES)("%s", (semantics) => {
  describe.each(["current", "legacy"] as const)("the %s agent", (agent) => {
    const isAgent = semantics === "vpc-cni";
    const flags = ["--semantics", semantics, ...(isAgent && agent === "legacy" ? ["--agent-version", "1.2.3"] : [])];
    const cases = casesWith(agent);

    it("evaluate gives the verdicts of the slow oracle", async () => {
      const asked = cases.map((subject) => boundaryPoints(subject, { portsEach: 3, portless: isAgent }));
      const lines = cases.map(({ policies, source, ipFamily, nodeIp }, id) => ({
        id,
        policies,
        points: asked[id],
        ...(source && { pod: source }),
        ...(isAgent && { ipFamily, nodeIp }),
      }));
      const expected = cases.map((subject, id) => {
        const { policies, source } = subject;
        const pod = isAgent ? vpcCniPod(policies, source, subject) : undefined;
        return pod?.aborts
          ? { id, aborts: true, reasons: expect.arrayContaining([expect.any(String)]) }
          : {
              id,
              verdicts: asked[id]?.map((point) =>
                pod === undefined
                  ? kubernetesVerdict(policies, source, point)
                  : pod.verdictAt(readAddress(point.ip), point.protocol, point.port),
              ),
            };
      });
      expect(await answers(["evaluate", ...flags], lines)).toEqual(expected);
    });

    it("diff --lines gives the counts of the slow oracle", async () => {
      const pairs = cases.slice(1, 40).map((before, index) => ({ before, after: (cases[index] as Case).policies }));
      const lines = pairs.map(({ before: { policies, source, ipFamily, nodeIp }, after }, id) => ({
        id,
        before: policies,
        after,
        ...(source && { pod: source }),
        ...(isAgent && { ipFamily, nodeIp }),
      }));
      const expected = pairs.map(({ before, after }, id) => {
        const pods = [before.policies, after].map((policies) => vpcCniPod(policies, before.source, before));
        if (isAgent && pods.some(({ aborts }) => aborts)) {
          return { id, aborts: true, reasons: expect.arrayContaining([expect.any(String)]) };
        }
        const counts = countChange(
          before.policies,
          after,
          (policies) => {
            const pod = vpcCniPod(policies, before.source, before);
            return isAgent
              ? (...point) => pod.verdictAt(...point)
              : (...point) => kubernetesVerdictAt(policies, before.source, ...point);
          },
          before.nodeIp,
        );
        const text = JSON.stringify(counts, (_, value: unknown) => (typeof value === "bigint" ? `${value}` : value));
        return { id, ...(JSON.parse(text) as object) };
      });
      expect(await answers(["diff", "--lines", ...flags], lines)).toEqual(expected);
    });
  });
});
