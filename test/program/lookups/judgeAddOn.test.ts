import { describe, expect, it } from "vitest";
import type { Acknowledgement } from "../../../program/config/stackConfig.ts";
import { type Answers, addOn, judge, problemsOf } from "../../support/judging.ts";

describe("the three findings that can be acknowledged", () => {
  const findings: [Acknowledgement, Answers, string][] = [
    [
      "network-policy-disabled",
      { addOn: addOn("v1.21.1-eksbuild.1", "") },
      "network policy is off (enableNetworkPolicy is not true), so the cluster accepts the policy and ignores it",
    ],
    [
      "agent-too-old",
      { addOn: addOn("v1.20.0-eksbuild.1") },
      "its network policy agent is 1.2.3; one older than 1.2.4 opens every port of the database's subnets",
    ],
    [
      "agent-too-old",
      { addOn: addOn("v1.17.1-eksbuild.1") },
      "which network policy agent this version carries is not known, so it may be older than 1.2.4",
    ],
    [
      "vpc-cni-not-managed",
      { addOn: { failure: "operation error EKS: DescribeAddon, ResourceNotFoundException: No addon: vpc-cni found" } },
      "the cluster has no managed vpc-cni add-on (EKS Auto Mode and self-managed installations have none), so whether " +
        "network policy is on and how old its agent is can't be read",
    ],
    [
      "vpc-cni-not-managed",
      { addOn: { failure: "reading EKS Add-On (techops-staging:vpc-cni): couldn't find resource" } },
      "the cluster has no managed vpc-cni add-on (EKS Auto Mode and self-managed installations have none), so whether " +
        "network policy is on and how old its agent is can't be read",
    ],
  ];

  it.each(findings)("%s is an error that names what to set, and a warning once it is set", (name, answers, finding) => {
    expect(problemsOf(answers)).toEqual([expect.stringMatching(/^add-on vpc-cni of techops-staging( is ".*")?: /)]);
    const [problem = ""] = problemsOf(answers);
    expect(problem).toContain(finding);
    expect(problem).toContain(`or accept it with runner-egress:acknowledge.${name}: "<why>"`);

    const { facts, warnings } = judge(answers, { acknowledge: new Map([[name, "known"]]) });
    expect(warnings).toEqual([`add-on vpc-cni of techops-staging: ${finding}. Acknowledged (${name}): known`]);
    expect(facts.addOn.acknowledged).toEqual([name]);
  });

  it.each(findings)("%s is not waived by another acknowledgement, which is called out", (name, answers) => {
    const others = (["network-policy-disabled", "agent-too-old", "vpc-cni-not-managed"] as const).filter(
      (other) => other !== name,
    );
    expect(problemsOf(answers, { acknowledge: new Map(others.map((other) => [other, "known"])) })).toHaveLength(1);
  });

  it("are called out when nothing needs them", () => {
    expect(judge({}, { acknowledge: new Map([["agent-too-old", "known"]]) }).warnings).toEqual([
      "runner-egress:acknowledge.agent-too-old is not needed now; remove it, or it will hide the next case",
    ]);
  });

  it("leave alone what another step acknowledges", () => {
    expect(judge({}, { acknowledge: new Map([["policy-identity-change", "known"]]) }).warnings).toEqual([]);
  });

  it("don't count the oldest agent that is good enough", () => {
    expect(judge({ addOn: addOn("v1.20.1-eksbuild.1") }).facts.addOn).toMatchObject({ agentVersion: "1.2.4" });
  });

  it("are needed each for itself", () => {
    const answers = { addOn: addOn("v1.20.0-eksbuild.1", "{}") };
    expect(problemsOf(answers)).toHaveLength(2);
    expect(problemsOf(answers, { acknowledge: new Map([["agent-too-old", "known"]]) })).toHaveLength(1);
  });

  it.each([
    ['{"enableNetworkPolicy":"true"}', true],
    ['{"enableNetworkPolicy":true}', true],
    ["enableNetworkPolicy: 'true'", true],
    ['{"enableNetworkPolicy":"false"}', false],
    ['{"enableNetworkPolicy":1}', false],
    ['{"other":true}', false],
  ])("with the settings %s network policy is on: %s", (values, isOn) => {
    expect(problemsOf({ addOn: addOn("v1.21.1-eksbuild.1", values) })).toHaveLength(isOn ? 0 : 1);
  });
});
