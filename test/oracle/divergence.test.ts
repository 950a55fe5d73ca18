import { describe, expect, it } from "vitest";
import { readAddress } from "./addresses.ts";
import { casesFrom } from "./cases.ts";
import { classify, DIVERGENCES } from "./divergence.ts";
import { kubernetesVerdict } from "./kubernetes.ts";
import { boundaryPoints } from "./points.ts";
import { vpcCniPod } from "./vpcCni.ts";

describe("the two oracles", () => {
  it("differ only in the known ways, and in each of them", () => {
    const seen = new Map<string, number>();
    let sets = 0;
    for (const subject of casesFrom(2026)) {
      sets += 1;
      if (sets > 600) {
        break;
      }
      const pod = vpcCniPod(subject.policies, subject.source, subject);
      if (pod.aborts || subject.agent === "legacy") {
        continue;
      }
      for (const point of boundaryPoints(subject, { portsEach: 3, portless: false })) {
        const address = readAddress(point.ip);
        const verdict = pod.verdictAt(address, point.protocol, point.port);
        if (verdict !== kubernetesVerdict(subject.policies, subject.source, point)) {
          const reason = classify(subject, pod, address, point.protocol, point.port);
          expect(reason, JSON.stringify({ subject, point, verdict })).toBeDefined();
          seen.set(reason ?? "", (seen.get(reason ?? "") ?? 0) + 1);
        }
      }
    }
    expect([...seen.keys()].toSorted()).toEqual([...DIVERGENCES].toSorted());
  });
});
