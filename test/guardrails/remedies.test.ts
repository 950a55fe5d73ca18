import { describe, expect, it } from "vitest";
import { parseCidr } from "../../analysis/index.ts";
import { type Declaration, type DeclarationSource, situationOf } from "../../guardrails/index.ts";
import { privateReach } from "../../guardrails/privateReach.ts";
import { requiredDestinations } from "../../guardrails/requiredDestinations.ts";
import { addresses, declare, tcp } from "../support/declarations.ts";
import { block, policy } from "../support/policies.ts";

const SOURCE: DeclarationSource = { placeOf: (member) => `declaration.${member} in pack.json` };
const EXCEPTS = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
  ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
  ...["224.0.0.0/4", "240.0.0.0/4"],
];
const DATABASE = addresses("database", ["10.1.100.0/24"], tcp(5432));
const on = (...ports: number[]) => ({ ports: ports.map((port) => ({ port, protocol: "TCP" })) });

/** What is told about a policy of these rules, one text for each thing that is wrong. */
function fixes(egress: readonly unknown[], parts: Partial<Declaration>): string[] {
  const declaration = declare({ source: SOURCE, ...parts });
  const situation = situationOf({ declaration, planned: [{ resource: "0", object: policy(egress) }] });
  return [...privateReach(situation), ...requiredDestinations(situation)].map(({ fix }) => fix);
}

describe("what is told about a private region", () => {
  it("is the destination with its ports, not one with more of them", () => {
    const wider = addresses("wider", ["10.1.0.0/24"], tcp(5432), tcp(5433));
    const rules = [block("10.1.0.0/24", on(5432, 5433)), block("10.1.103.0/24", on(5432))];
    expect(fixes(rules, { destinations: [wider] })).toEqual([
      expect.stringMatching(
        /add "NAME": \{"cidrs": \["10\.1\.103\.0\/24"\], "ports": \["5432\/TCP"\]\} to declaration\.destinations\.cidrs in pack\.json;/,
      ),
    ]);
  });

  it("is, of two destinations with its ports, the one that the rule serves", () => {
    const another = addresses("another", ["10.1.50.0/24"], tcp(5432));
    const to = ["10.1.100.0/24", "10.1.103.0/24"].map((cidr) => ({ ipBlock: { cidr } }));
    const rules = [block("10.1.50.0/24", on(5432)), { to, ...on(5432) }];
    expect(fixes(rules, { destinations: [another, DATABASE] })).toEqual([
      expect.stringContaining('add "10.1.103.0/24" to declaration.destinations.database.cidrs in pack.json'),
    ]);
  });

  it("is the part of a rule's block that is not declared yet", () => {
    const rules = [block("10.1.100.0/23", on(5432))];
    expect(fixes(rules, { destinations: [DATABASE] })).toEqual([
      expect.stringContaining('add "10.1.101.0/24" to declaration.destinations.database.cidrs in pack.json'),
    ]);
  });

  it("is no port where every port is open: that is not to be declared", () => {
    expect(fixes([block("10.9.0.0/16")], { destinations: [] })).toEqual([
      expect.stringMatching(
        /^take it out of the rule named here; .* in declaration\.destinations\.cidrs in pack\.json\.$/,
      ),
    ]);
  });

  it("never gives up a block of the VPC that is private anyway", () => {
    const open = block("0.0.0.0/0", { except: EXCEPTS.filter((cidr) => cidr !== "10.0.0.0/8") });
    expect(fixes([open], {})).toEqual([
      expect.stringMatching(
        /^add 10\.0\.0\.0\/8 to the except of 0\.0\.0\.0\/0 \(spec\.egress\[0\]\.to\[0\] of keeperhub\/runner\);/,
      ),
    ]);
    expect(fixes([block("10.1.0.0/16", on(443))], {})).toEqual([expect.stringContaining('"cidrs": ["10.1.0.0/16"]')]);
  });

  it("does not speak of a file where the declaration has none", () => {
    const declaration = declare({ destinations: [DATABASE] });
    const object = policy([block("10.1.100.0/23", on(5432))]);
    const [violation] = privateReach(situationOf({ declaration, planned: [{ resource: "0", object }] }));
    expect(violation?.fix).toContain(
      'add "10.1.101.0/24" to destinations.database.cidrs of the declaration, which the contract and the facts make;',
    );
  });
});

describe("what is told about a loss", () => {
  const BOTH = addresses("database", ["10.1.100.0/24", "10.1.101.0/24"], tcp(5432));

  it("is the block that is gone", () => {
    expect(fixes([block("10.1.100.0/24", on(5432))], { destinations: [BOTH] })).toEqual([
      expect.stringContaining('remove "10.1.101.0/24" from declaration.destinations.database.cidrs in pack.json'),
    ]);
  });

  it("is no block where a part of another is lost as well, or only a port", () => {
    const half = block("10.1.100.0/25", on(5432));
    const expected = [
      expect.stringMatching(/^allow it in a rule .* change declaration\.destinations\.database in pack\.json\.$/),
    ];
    expect(fixes([half], { destinations: [BOTH] })).toEqual(expected);
    const ports = addresses("database", ["10.1.100.0/24"], tcp(5432), tcp(5433));
    expect(fixes([block("10.1.100.0/24", on(5432))], { destinations: [ports] })).toEqual(expected);
  });

  const internet = (more: string[], ports = {}) =>
    block("0.0.0.0/0", { except: [...EXCEPTS, ...more].sort(), ...ports });

  it("is the VPC's block where it explains all of the loss", () => {
    expect(fixes([internet(["44.32.0.0/16"])], { internet: "every-port" })).toEqual([
      expect.stringMatching(
        /^if the VPC has 44\.32\.0\.0\/16 now, .* add "44\.32\.0\.0\/16" to declaration\.vpcCidrs in pack\.json;/,
      ),
    ]);
    expect(fixes([internet(["44.32.0.0/16"], on(443))], { internet: "every-port" })).toEqual([
      expect.stringMatching(/^allow it in a rule .* change declaration\.internet in pack\.json\.$/),
    ]);
  });

  it("is told once for hosts that may be anywhere in the internet, and again for ports that it does not cover", () => {
    const host = (name: string, port: number) => ({ name, cidr: undefined, ports: tcp(port) });
    const lost = (parts: Partial<Declaration>) => {
      const declaration = declare(parts);
      const planned = [{ resource: "0", object: policy([internet(["44.32.0.0/16"])]) }];
      return requiredDestinations(situationOf({ declaration, planned })).map(
        ({ message }) => message.split(" is not")[0],
      );
    };
    const endpoints = [host("a:443", 443), host("b:8545", 8545)];
    expect(lost({ internet: "every-port", endpoints })).toEqual(["the public internet"]);
    expect(lost({ internet: [tcp(400, 500)], endpoints })).toEqual(["the public internet", "b:8545"]);
    expect(lost({ endpoints })).toEqual(["a:443", "b:8545"]);
    const address = { name: "c", cidr: parseCidr("44.32.7.7/32"), ports: tcp(443) };
    expect(lost({ internet: "every-port", endpoints: [address] })).toEqual(["the public internet", "c"]);
  });
});

describe("what is told as one thing", () => {
  const told = (egress: readonly unknown[], parts: Partial<Declaration>) => {
    const situation = situationOf({
      declaration: declare(parts),
      planned: [{ resource: "0", object: policy(egress) }],
    });
    return [...privateReach(situation), ...requiredDestinations(situation)].map(({ message }) => message);
  };

  it("is of one address family", () => {
    const to = [
      { ipBlock: { cidr: "0.0.0.0/0", except: EXCEPTS.filter((cidr) => cidr !== "10.0.0.0/8") } },
      { ipBlock: { cidr: "::/0", except: ["fe80::/10"] } },
    ];
    expect(told([{ to }], {})).toEqual([
      expect.stringMatching(/Not declared: 10\.0\.0\.0\/8 all ports \([^)]*\([^)]*\)\)\. \(kubernetes and vpc-cni\)$/),
      expect.stringMatching(/Not declared: fc00::.*\(kubernetes\)$/),
    ]);
  });

  it("is the same region under both semantics: what only the agent takes away is not left out", () => {
    const rules = [
      block("0.0.0.0/0", { except: [...EXCEPTS, "8.8.8.0/24"] }),
      block("9.0.0.0/8", { except: ["9.9.9.0/24"], ...on(443) }),
    ];
    const [specified, enforced, ...more] = told(rules, { internet: [tcp(443)] });
    expect(specified).toMatch(/Lost: 8\.8\.8\.0\/24 TCP 443 .*\(kubernetes\)$/);
    expect(enforced).toMatch(/Lost: .*9\.9\.9\.0\/24 TCP 443 .*\(vpc-cni\)$/);
    expect(more).toEqual([]);
  });
});
