import { describe, expect, it } from "vitest";
import { describeProblem, type Problem } from "../../../analysis/problems.ts";
import type { Acknowledgement } from "../../../program/config/stackConfig.ts";
import type { LivePolicy } from "../../../program/lookups/livePolicy.ts";
import {
  APPLIED_ANNOTATION,
  type DeployedPolicy,
  FORCE_ANNOTATION,
  fingerprint,
  planTakeover,
  REPAIRED_ANNOTATION,
  STACK_ANNOTATION,
} from "../../../program/lookups/planTakeover.ts";
import { KEEPERHUB_CONTRACT } from "../../../runner/contract.ts";
import type { EgressNetworkPolicy } from "../../../runner/networkPolicy.ts";
import { buildRunnerPolicy } from "../../../runner/runnerPolicy.ts";
import { keeperhubFacts, networkFacts } from "../../support/networkFacts.ts";

const desired = buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts()).policy;
const DEPLOYED: DeployedPolicy = {
  policyName: "workflow-runner-block-imds",
  namespace: "keeperhub",
  facts: { cluster: { name: "techops-staging" } },
};
const WHERE = "NetworkPolicy keeperhub/workflow-runner-block-imds";

/** The live policy as the stack applied it. */
const own: LivePolicy = {
  resourceVersion: "7",
  annotations: {
    [FORCE_ANNOTATION]: "true",
    [STACK_ANNOTATION]: "runner-egress/staging",
    [APPLIED_ANNOTATION]: fingerprint(desired.spec),
  },
  spec: desired.spec,
  writers: ["pulumi-kubernetes-571da7c3"],
};
const foreign: LivePolicy = {
  resourceVersion: "7",
  annotations: {},
  spec: desired.spec,
  writers: ["kubectl-client-side-apply"],
};
const withRule = (live: LivePolicy): LivePolicy => ({
  ...live,
  writers: [...live.writers, "kubectl-edit"],
  spec: { ...live.spec, egress: [...(live.spec.egress ?? []), { to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
});
const withSelector = (live: LivePolicy, app: string): LivePolicy => ({
  ...live,
  spec: { ...live.spec, podSelector: { matchLabels: { app } } },
});

interface Case {
  live?: LivePolicy | undefined;
  deployed?: DeployedPolicy;
  adopt?: boolean;
  acknowledge?: [Acknowledgement, string][];
  policy?: EgressNetworkPolicy;
  clusterName?: string;
}

function plan({
  live,
  deployed = DEPLOYED,
  adopt = false,
  acknowledge = [],
  policy = desired,
  clusterName = "techops-staging",
}: Case) {
  const problems: Problem[] = [];
  const config = { stack: "runner-egress/staging", adopt, acknowledge: new Map(acknowledge) };
  const { cluster, addOn } = keeperhubFacts();
  const facts = { cluster: { ...cluster, name: clusterName }, addOn };
  const takeover = planTakeover({ config, desired: policy, facts, live, deployed }, problems);
  return { ...takeover, problems: problems.map(describeProblem) };
}

describe("an object that is not there", () => {
  it("is created, with the annotations of this stack", () => {
    expect(plan({ deployed: {} })).toEqual({
      adopt: false,
      replaces: false,
      annotations: own.annotations,
      warnings: [],
      changes: [],
      problems: [],
    });
  });

  it("is created even if it was to be adopted", () => {
    expect(plan({ deployed: {}, adopt: true })).toMatchObject({ adopt: false, problems: [] });
  });

  it("makes an update necessary, and says which, when the stack had created it", () => {
    const { annotations, warnings } = plan({});
    expect(annotations[REPAIRED_ANNOTATION]).toBe("deleted");
    expect(warnings).toEqual([
      `${WHERE}: somebody deleted it, and the runners may reach everything. Run pulumi up --refresh, which creates it ` +
        "again; without --refresh the update fails, because Pulumi takes the policy to be there",
    ]);
  });
});

describe("an object of this stack", () => {
  it("stays as it is", () => {
    expect(plan({ live: own })).toMatchObject({
      adopt: false,
      annotations: own.annotations,
      warnings: [],
      problems: [],
    });
  });

  it("keeps the mark of an earlier repair, so that it makes no further update", () => {
    const repaired = { ...own, annotations: { ...own.annotations, [REPAIRED_ANNOTATION]: "resource-version-3" } };
    expect(plan({ live: repaired }).annotations).toEqual(repaired.annotations);
  });

  it("gets a new mark for each change by somebody else, and the reader what it lets through", () => {
    const { annotations, warnings, problems } = plan({ live: withRule(own) });
    expect(problems).toEqual([]);
    expect(annotations[REPAIRED_ANNOTATION]).toBe("resource-version-7");
    expect(warnings).toEqual([
      `${WHERE}: somebody changed it since this stack applied it; up puts it right. Against what the stack says, the ` +
        "live policy differs:\n  - it also allows 10.0.0.0/8 except 10.1.100.0-10.1.102.255 on every port (10.0.0.0/8, " +
        "private use (RFC 1918))\n  - for 10.1.100.0-10.1.102.255 it also allows every port (10.0.0.0/8, private use " +
        "(RFC 1918))",
    ]);
    const again = {
      ...withRule(own),
      resourceVersion: "9",
      annotations: { ...own.annotations, [REPAIRED_ANNOTATION]: "resource-version-7" },
    };
    expect(plan({ live: again }).annotations[REPAIRED_ANNOTATION]).toBe("resource-version-9");
  });

  it("is repaired when it lost its annotations", () => {
    const { annotations, warnings } = plan({ live: foreign });
    expect(annotations[REPAIRED_ANNOTATION]).toBe("resource-version-7");
    expect(warnings).toEqual([expect.stringContaining("differs: only in how it is written, not in what it allows")]);
  });

  it("that is to change is no drift", () => {
    const policy = buildRunnerPolicy(KEEPERHUB_CONTRACT, keeperhubFacts("10.0")).policy;
    const { annotations, warnings } = plan({ live: own, policy });
    expect(annotations[REPAIRED_ANNOTATION]).toBeUndefined();
    expect(annotations[APPLIED_ANNOTATION]).toBe(fingerprint(policy.spec));
    expect(warnings).toEqual([]);
  });

  it("that is to change is told in words", () => {
    const policy = buildRunnerPolicy(
      KEEPERHUB_CONTRACT,
      networkFacts({ databaseCidrs: ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24", "10.1.103.0/24"] }),
    ).policy;
    expect(plan({ live: own, policy }).changes).toEqual([
      "it also allows 10.1.103.0/24 on 5432/TCP (10.0.0.0/8, private use (RFC 1918))",
    ]);
    expect(plan({ live: own }).changes).toEqual([]);
  });

  it("does not depend on the order in which the API server writes its members", () => {
    const { egress, policyTypes, podSelector } = own.spec;
    expect(
      plan({ live: { ...own, spec: { egress: egress ?? [], policyTypes: policyTypes ?? [], podSelector } } }).warnings,
    ).toEqual([]);
  });
});

describe("an object that somebody else made", () => {
  it("is refused, with the key that adopts it", () => {
    expect(plan({ live: withRule(foreign), deployed: {} }).problems).toEqual([
      `${WHERE}: it is there already, and not this stack's. To take it over in place, whatever it says now, set ` +
        "runner-egress:adopt: true (pulumi config set adopt true)",
    ]);
  });

  it("is adopted once that is set, and the reader told what differs", () => {
    const { adopt, annotations, warnings, changes, problems } = plan({
      live: withRule(foreign),
      deployed: {},
      adopt: true,
    });
    expect({ adopt, annotations, problems }).toEqual({ adopt: true, annotations: own.annotations, problems: [] });
    expect(warnings).toEqual([`${WHERE}: it is not this stack's yet; up takes it over in place`]);
    expect(changes).toEqual([
      "it does not allow 10.0.0.0/8 except 10.1.100.0-10.1.102.255 on every port (10.0.0.0/8, private use (RFC 1918))",
      "for 10.1.100.0-10.1.102.255 it allows only 5432/TCP, not every port (10.0.0.0/8, private use (RFC 1918))",
    ]);
  });

  it("of another stack is refused under that stack's name, unless it is adopted", () => {
    const live = { ...own, annotations: { ...own.annotations, [STACK_ANNOTATION]: "runner-egress/prod" } };
    expect(plan({ live }).problems).toEqual([
      `${WHERE}: it belongs to the stack runner-egress/prod. If that stack is gone or was renamed, set ` +
        "runner-egress:adopt: true (pulumi config set adopt true); else check runner-egress:cluster and " +
        "runner-egress:runner",
    ]);
    expect(plan({ live, adopt: true }).problems).toEqual([]);
  });
});

describe("an object that carries this stack's name", () => {
  it("and that the state does not have, because it was lost, is told before up fails", () => {
    expect(plan({ live: own, deployed: {} }).problems).toEqual([
      expect.stringMatching(/the state was lost or made anew.*set runner-egress:adopt: true/),
    ]);
    expect(plan({ live: own, deployed: {}, adopt: true })).toMatchObject({ adopt: true, problems: [], warnings: [] });
  });
});

describe("an object that the cluster itself changes", () => {
  const changed = { ...withRule(own), writers: own.writers };

  it("is told as what it is, so that nobody deploys it for ever", () => {
    const { warnings, annotations } = plan({ live: changed });
    expect(warnings).toEqual([expect.stringContaining("look at its mutating admission webhooks")]);
    expect(warnings[0]).not.toContain("somebody changed it");
    // A writer may call itself as it likes, so up still writes it again.
    expect(annotations[REPAIRED_ANNOTATION]).toBe("resource-version-7");
  });

  it.each([[[]], [["kubectl-edit"]], [["pulumi-kubernetes-1", "kubectl-patch"]], [["pulumi-kubernetesx"]]])(
    "is not one with the writers %j",
    (writers) => {
      expect(plan({ live: { ...changed, writers } }).warnings[0]).toContain("somebody changed it");
    },
  );
});

describe("a change of what the policy is", () => {
  const advice =
    ". The VPC CNI may not apply this to running pods, and a replacement can leave a moment in which nothing is denied. " +
    "Follow docs/adoption.md, which has the safe steps, and set runner-egress:acknowledge.policy-identity-change: " +
    '"<why>"';
  const renamed: DeployedPolicy = { ...DEPLOYED, policyName: "old" };
  const cases: [string, Case, string, boolean][] = [
    ["name", { deployed: renamed }, "it replaces keeperhub/old, which this stack has now", true],
    [
      "namespace",
      { deployed: { ...DEPLOYED, namespace: "old" } },
      "it replaces old/workflow-runner-block-imds, which this stack has now",
      true,
    ],
    [
      "cluster",
      { clusterName: "techops-prod" },
      "it replaces keeperhub/workflow-runner-block-imds in cluster techops-staging, which this stack has now, in cluster techops-prod",
      true,
    ],
    [
      "selector",
      {
        live: {
          ...withSelector(own, "old"),
          annotations: { ...own.annotations, [APPLIED_ANNOTATION]: fingerprint(withSelector(own, "old").spec) },
        },
      },
      'its podSelector changes from {"matchLabels":{"app":"old"}} to {"matchLabels":{"app":"workflow-runner"}}',
      false,
    ],
    [
      "selector of an adopted object",
      { live: withSelector(foreign, "old"), deployed: {}, adopt: true },
      'its podSelector changes from {"matchLabels":{"app":"old"}} to {"matchLabels":{"app":"workflow-runner"}}',
      false,
    ],
  ];

  it.each(cases)("%s is refused", (_, change, finding) => {
    expect(plan(change).problems).toEqual([`${WHERE}: ${finding}${advice}`]);
  });

  it.each(cases)("%s passes with a warning once it is acknowledged", (_, change, finding, replaces) => {
    const acknowledged = plan({ ...change, acknowledge: [["policy-identity-change", "moving"]] });
    expect(acknowledged).toMatchObject({ replaces, problems: [] });
    expect(acknowledged.warnings).toContain(`${WHERE}: ${finding}. Acknowledged (policy-identity-change): moving`);
  });

  it("is not waived by another acknowledgement", () => {
    expect(plan({ deployed: renamed, acknowledge: [["agent-too-old", "moving"]] }).problems).toHaveLength(1);
  });

  it("by hand is put back without one", () => {
    const { problems, warnings } = plan({ live: withSelector(own, "nobody") });
    expect(problems).toEqual([]);
    expect(warnings).toEqual([
      expect.stringMatching(/it selects app=nobody, not app=workflow-runner\n.*everything is open to them/),
    ]);
  });

  it("by hand and by config at once is refused", () => {
    const stale = {
      ...withSelector(own, "nobody"),
      annotations: { ...own.annotations, [APPLIED_ANNOTATION]: "other" },
    };
    expect(plan({ live: stale }).problems).toHaveLength(1);
  });

  it("that is acknowledged but does not happen is called out", () => {
    expect(plan({ live: own, acknowledge: [["policy-identity-change", "moving"]] }).warnings).toEqual([
      "runner-egress:acknowledge.policy-identity-change is not needed now; remove it, or it will hide the next case",
    ]);
  });

  it("is none where an older version of this program left no cluster in its outputs", () => {
    const { facts: _, ...deployed } = DEPLOYED;
    expect(plan({ live: own, deployed }).problems).toEqual([]);
  });
});
