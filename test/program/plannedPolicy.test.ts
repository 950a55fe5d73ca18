import { describe, expect, it } from "vitest";
import { guardedPolicy, guardrailProblems } from "../../program/plannedPolicy.ts";
import { KEEPERHUB_CONTRACT, type RunnerContract } from "../../runner/contract.ts";
import type { NetworkFacts } from "../../runner/networkFacts.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { keeperhubFacts, networkFacts } from "../support/networkFacts.ts";
import type { Plain } from "../support/policyPack.ts";

const IPV6 = networkFacts({
  ipFamily: "ipv6",
  ipv4Cidrs: ["10.1.0.0/16", "44.16.0.0/16"],
  ipv6Cidrs: ["2600:1f18:1:5600::/56"],
  databaseCidrs: ["2600:1f18:1:5601::/64"],
});
const IDENTITY = { name: "identity", cidrs: ["169.254.170.23/32"], ports: [{ protocol: "TCP" as const, port: 80 }] };

/** What the guardrails say of the policy that the rules build, after an edit. */
function problems(contract: RunnerContract, facts: NetworkFacts, edit: (policy: Plain) => void = () => {}): string[] {
  const policy = structuredClone(buildRunnerPolicy(contract, facts).policy);
  edit(policy);
  return guardrailProblems(policy, contract, facts).map(({ where, reason }) => `${where}: ${reason}`);
}

describe("the guardrails of one policy", () => {
  it.each<[string, RunnerContract, NetworkFacts]>([
    ["staging", KEEPERHUB_CONTRACT, keeperhubFacts("10.1")],
    ["prod", KEEPERHUB_CONTRACT, keeperhubFacts("10.0")],
    ["an IPv6 cluster", KEEPERHUB_CONTRACT, IPV6],
    [
      "a VPC with public and shared blocks",
      KEEPERHUB_CONTRACT,
      networkFacts({ ipv4Cidrs: ["44.16.0.0/16", "100.64.0.0/16"], databaseCidrs: ["44.16.9.0/24"] }),
    ],
    ["runners that use EKS Pod Identity", { ...KEEPERHUB_CONTRACT, cidrs: [IDENTITY] }, keeperhubFacts()],
  ])("have nothing to say of what the rules build for %s", (_, contract, facts) => {
    expect(problems(contract, facts)).toEqual([]);
  });

  it("are asked together with what is wrong with the blocks, each by its own place", () => {
    const open = (name: string, block: string) => ({ ...IDENTITY, name, cidrs: [block] });
    const contract = {
      ...KEEPERHUB_CONTRACT,
      cidrs: [open("imds", "169.254.169.254/32"), open("premises", "192.168.7.0/24")],
    };
    expect(() => guardedPolicy(contract, keeperhubFacts(), (where) => `<${where}>`)).toThrow(
      /<cidrs\.premises\.cidrs> is "192\.168\.7\.0\/24": is private[\s\S]*<cidrs\.imds>: it breaks the guardrail metadata-endpoints/,
    );
  });

  it("refuse a contract that only they find wrong", () => {
    const ports = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({ protocol: "TCP" as const, port: from + 2 * index }));
    const [service] = KEEPERHUB_CONTRACT.services.slice(-1);
    const two = [ports(8000, 13), ports(9000, 12)].flatMap((ports, index) =>
      service === undefined ? [] : [{ ...service, name: `part-${index}`, ports }],
    );
    expect(() => guardedPolicy({ ...KEEPERHUB_CONTRACT, services: two }, keeperhubFacts(), String)).toThrow(
      /it breaks the guardrail eks-hazards: slot-overflow/,
    );
  });

  it("do not repeat as a hazard what is said of a contract's blocks", () => {
    const contract = { ...KEEPERHUB_CONTRACT, cidrs: [{ ...IDENTITY, name: "wide", cidrs: ["8.0.0.0/5"] }] };
    expect(() => guardedPolicy(contract, keeperhubFacts(), String)).toThrow(
      /^The policy can't be built; nothing was written:\n {2}- cidrs\.wide is "8\.0\.0\.0\/5": it contains 10\.0\.0\.0\/8[^\n]*$/,
    );
  });

  it("catch what the rules should never build", () => {
    const edits: [string, (policy: Plain) => void][] = [
      ["private-reach", (policy) => policy.spec.egress[4].to[0].ipBlock.except.splice(1, 1)],
      ["private-reach", (policy) => policy.spec.egress[3].ports.push({ protocol: "TCP", port: 22 })],
      [
        "metadata-endpoints",
        (policy) => policy.spec.egress.push({ to: [{ ipBlock: { cidr: "169.254.169.254/32" } }] }),
      ],
      ["isolation", (policy) => delete policy.spec.podSelector.matchLabels],
      ["eks-hazards", (policy) => policy.spec.egress[4].to[1].ipBlock.except.push("64:ff9b::/96")],
    ];
    for (const [guardrail, edit] of edits) {
      expect(problems(KEEPERHUB_CONTRACT, keeperhubFacts(), edit)).toEqual([
        expect.stringMatching(new RegExp(`^[^:]*: it breaks the guardrail ${guardrail}: [\\s\\S]*\\n {4}Fix: `)),
      ]);
    }
  });

  it("know every block of the VPC as private, public ones and those of IPv6 too", () => {
    const open = (block: string) => (policy: Plain) => {
      for (const { ipBlock } of policy.spec.egress.at(-1).to) {
        ipBlock.except = ipBlock.except.filter((except: string) => except !== block);
      }
    };
    const ipv4 = networkFacts({ ipv4Cidrs: ["10.1.0.0/16", "44.16.0.0/16"] });
    for (const [facts, block] of [
      [ipv4, "44.16.0.0/16"],
      [IPV6, "2600:1f18:1:5600::/56"],
    ] as const) {
      expect(problems(KEEPERHUB_CONTRACT, facts, open(block))).toEqual([
        expect.stringMatching(/^internet: it breaks the guardrail private-reach: /),
      ]);
    }
  });

  it("name the member of the contract whose rule is at fault, in the order of the rules", () => {
    const port = [{ protocol: "TCP" as const, port: 443 }];
    const services = [...KEEPERHUB_CONTRACT.services].reverse();
    const cidrs = ["b", "a"].map((name, index) => ({ name, cidrs: [`10.1.${index}.0/24`], ports: port }));
    const contract: RunnerContract = { ...KEEPERHUB_CONTRACT, services, cidrs };
    const opened = [0, 1, 2, 3, 4, 5].map((rule) =>
      problems(contract, keeperhubFacts(), (policy) =>
        policy.spec.egress[rule].to.push({ ipBlock: { cidr: "169.254.169.254/32" } }),
      ).find((problem) => problem.includes("metadata-endpoints")),
    );
    expect(opened.map((problem) => problem?.split(":")[0])).toEqual([
      "services.dns",
      "services.sandbox",
      "services.executor",
      "database",
      "cidrs.a",
      "cidrs.b",
    ]);
  });
});
