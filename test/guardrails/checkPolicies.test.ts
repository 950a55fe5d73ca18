import { describe, expect, it } from "vitest";
import { parseCidr } from "../../analysis/index.ts";
import { checkPolicies, formatViolation, situationOf } from "../../guardrails/index.ts";
import { requiredDestinations } from "../../guardrails/requiredDestinations.ts";
import { addresses, declare, tcp, udp } from "../support/declarations.ts";
import { block, policy } from "../support/policies.ts";

const check = (egress: unknown[], more: Parameters<typeof declare>[0] = {}, spec: object = {}) =>
  checkPolicies({ declaration: declare(more), planned: [{ resource: "urn:x", object: policy(egress, { spec }) }] });

describe("the checks of plain values", () => {
  it("pass a policy that opens what is declared", () => {
    const destinations = [addresses("database", ["10.1.100.0/24"], tcp(5432))];
    expect(check([block("10.1.100.0/24", { ports: [{ port: 5432 }] })], { destinations })).toEqual([]);
  });

  it("name policy, rule, witness and cure", () => {
    const [violation] = check([block("8.8.8.8/32"), block("10.1.7.0/24", { ports: [{ port: 443 }] })]);
    expect(violation).toEqual({
      guardrail: "private-reach",
      resource: "urn:x",
      policy: "keeperhub/runner",
      rule: 1,
      witness: "10.1.7.1:443/tcp",
      message:
        "10.1.7.1:443/tcp (in 10.0.0.0/8, private use (RFC 1918)) is allowed by rule 1 of keeperhub/runner (10.1.7.0/24, spec.egress[1].to[0]). Not declared: 10.1.7.0/24 TCP 443 (VPC 10.1.0.0/16). (kubernetes and vpc-cni)",
      fix: expect.stringContaining('add "NAME": {"cidrs": ["10.1.7.0/24"], "ports": ["443/TCP"]} to destinations'),
    });
    expect(violation && formatViolation(violation)).toMatch(
      /\(kubernetes and vpc-cni\)\nFix: if the runners are meant to reach it/,
    );
  });

  it("say one thing for the metadata service, with the port that a client would use", () => {
    const found = check([block("169.254.0.0/16")]);
    expect(found.map(({ guardrail, witness }) => [guardrail, witness])).toEqual([
      ["metadata-endpoints", "169.254.169.254:80/tcp"],
      ["private-reach", "169.254.169.254:80/tcp"],
    ]);
    expect(found[0]?.message).toContain("169.254.170.2/32 all ports");
  });

  it("come in a fixed order, each text once, whatever the order of the rules", () => {
    const rules = [block("10.1.7.0/24"), block("169.254.169.254/32"), block("10.1.9.9/16")];
    const texts = (egress: unknown[]) => check(egress).map(({ guardrail, witness }) => `${guardrail} ${witness}`);
    expect(new Set(texts([...rules].reverse()))).toEqual(new Set(texts(rules)));
    expect(check([...rules, ...rules]).map(({ guardrail }) => guardrail)).toEqual(
      check([...rules, ...rules])
        .map(({ guardrail }) => guardrail)
        .sort(
          (a, b) =>
            ["metadata-endpoints", "private-reach", "isolation", "eks-hazards"].indexOf(a) -
            ["metadata-endpoints", "private-reach", "isolation", "eks-hazards"].indexOf(b),
        ),
    );
  });

  it("judge each namespace of runners", () => {
    const runner = { namespaces: ["keeperhub", "keeperhub-eu"], labels: { app: "workflow-runner" } };
    const found = check([], { runner });
    expect(found.filter(({ guardrail }) => guardrail === "isolation").map(({ message }) => message)).toEqual([
      expect.stringContaining("every pod app=workflow-runner in namespace keeperhub-eu"),
    ]);
  });

  it("judge the pods that a policy for some of them leaves out", () => {
    const found = check([], {}, { podSelector: { matchLabels: { app: "workflow-runner", tier: "a" } } });
    expect(new Set(found.map(({ guardrail }) => guardrail))).toEqual(
      new Set(["metadata-endpoints", "private-reach", "isolation"]),
    );
  });

  it("blame the except that the agent cannot load", () => {
    const found = check([block("::/0", { except: ["fc00::/7", "fe80::/10", "64:ff9b::/96"] })]);
    expect(found).toEqual([
      expect.objectContaining({
        guardrail: "eks-hazards",
        rule: 0,
        message: expect.stringContaining("except 64:ff9b::/96, spec.egress[0].to[0].ipBlock.except[2]"),
      }),
    ]);
  });

  it("judge an old agent by what it does", () => {
    const destinations = [addresses("database", ["10.1.100.0/24"], tcp(5432))];
    const rules = [
      block("10.1.100.0/24", { ports: [{ port: 5432 }] }),
      block("0.0.0.0/1", {
        except: ["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"],
        ports: [{ port: 443 }],
      }),
      // An old agent gives the ports of a rule for 0.0.0.0/0 to every block, excepted or not.
      block("0.0.0.0/0", { except: ["0.0.0.0/1", "128.0.0.0/1"], ports: [{ port: 443 }] }),
    ];
    const witnesses = (agentVersion: string) =>
      check(rules, { destinations, cluster: { ipFamily: "ipv4", agentVersion } })
        .filter(({ message }) => message.includes("10.1.100."))
        .map(({ guardrail, witness }) => `${guardrail} ${witness}`);
    expect(witnesses("1.2.4")).toEqual([]);
    expect(witnesses("1.2.3")).toEqual(["private-reach 10.1.100.1:443/tcp", "eks-hazards 10.1.100.1:443/tcp"]);
  });
});

describe("required endpoints", () => {
  const lost = (egress: unknown[], more: Parameters<typeof declare>[0]) =>
    requiredDestinations(
      situationOf({ declaration: declare(more), planned: [{ resource: "0", object: policy(egress) }] }),
    ).map(({ message }) => message.split(":")[0]);
  const rpc = { name: "rpc.example.com at 8545", cidr: undefined, ports: tcp(8545) };

  it("by address have to be allowed", () => {
    const resolver = { name: "resolver", cidr: parseCidr("1.1.1.1/32"), ports: udp(53) };
    const endpoints = [resolver];
    expect(lost([block("1.1.1.0/24")], { endpoints })).toEqual([]);
    expect(lost([block("1.1.1.0/24", { ports: [{ port: 53 }] })], { endpoints })).toEqual([
      "resolver is not reachable everywhere",
    ]);
  });

  it("by host name may be anywhere in public, so all of it has to be allowed on the port", () => {
    const open = (ports: unknown[]) => [block("0.0.0.0/0", { ports })];
    expect(lost(open([{ port: 8545 }]), { endpoints: [rpc] })).toEqual([]);
    expect(lost(open([{ port: 443 }]), { endpoints: [rpc] })).toEqual([
      "rpc.example.com at 8545 is not reachable everywhere",
    ]);
    expect(lost([block("0.0.0.0/1")], { endpoints: [rpc] })).toHaveLength(1);
  });
});
