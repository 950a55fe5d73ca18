import { describe, expect, it } from "vitest";
import { KEEPERHUB_CONTRACT } from "../../runner/contract.ts";
import { buildRunnerPolicy } from "../../runner/runnerPolicy.ts";
import { applyEdits, toldEdits } from "../support/declarationEdits.ts";
import { networkFacts } from "../support/networkFacts.ts";
import {
  IPV6_VPC,
  ipv6Plan,
  networkPolicy,
  type PackConfig,
  type Plain,
  packConfig,
  runPack,
} from "../support/policyPack.ts";

type Facts = Parameters<typeof networkFacts>[0];

const SUBNETS = ["10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24"];
const FILE = "the pack's config";

/** What the pack says when the program follows a network with these facts, and what it tells somebody to do. */
async function judge(facts: Facts, config: PackConfig) {
  const policy: Plain = structuredClone(buildRunnerPolicy(KEEPERHUB_CONTRACT, networkFacts(facts)).policy);
  const { messages, fired } = await runPack([networkPolicy(policy)], config);
  const texts = Object.values(messages).flat();
  return {
    fired,
    fixes: texts.map((text) => text.slice(text.indexOf("\nFix: ") + 1)),
    edits: texts.flatMap(toldEdits),
  };
}

interface Change {
  readonly name: string;
  readonly facts: Facts;
  /** What the declaration says besides, before the change. */
  readonly declared?: (declaration: Plain) => void;
  readonly fixes: readonly string[];
}

const STEPS = "";
const OTHERWISE = "if not, take it out of the rule named here.";
const EDITED = "the pack's config";

const CHANGES: readonly Change[] = [
  {
    name: "a new database subnet",
    facts: { databaseCidrs: [...SUBNETS, "10.1.103.0/24"] },
    fixes: [
      `Fix: if the runners are meant to reach it, add "10.1.103.0/24" to declaration.destinations.database.cidrs in ${FILE}${STEPS}; ${OTHERWISE}`,
    ],
  },
  {
    name: "two new database subnets, told together and as they are",
    facts: { databaseCidrs: [...SUBNETS, "10.1.104.0/24", "10.1.105.0/24", "10.1.200.0/24"] },
    fixes: [
      `Fix: if the runners are meant to reach it, add "10.1.104.0/24", "10.1.105.0/24", "10.1.200.0/24" to declaration.destinations.database.cidrs in ${FILE}${STEPS}; ${OTHERWISE}`,
    ],
  },
  {
    name: "a database subnet that goes away",
    facts: { databaseCidrs: SUBNETS.slice(0, 2) },
    fixes: [
      `Fix: if this is no destination any more, remove "10.1.102.0/24" from declaration.destinations.database.cidrs in ${FILE}${STEPS}; if it is, allow it in a rule of its own, with the port as the destination's containers or hosts see it.`,
    ],
  },
  {
    name: "a database that moves altogether",
    facts: { databaseCidrs: ["10.1.110.0/24", "10.1.111.0/24"] },
    fixes: [
      expect.stringContaining(
        `add "10.1.110.0/24", "10.1.111.0/24" to declaration.destinations.database.cidrs in ${FILE}${STEPS}; `,
      ),
      expect.stringContaining(
        `remove "10.1.100.0/24", "10.1.101.0/24", "10.1.102.0/24" from declaration.destinations.database.cidrs in ${FILE}${STEPS}; `,
      ),
    ],
  },
  {
    name: "a VPC block in a public range",
    facts: { ipv4Cidrs: ["10.1.0.0/16", "44.32.0.0/16"], databaseCidrs: SUBNETS },
    fixes: [
      `Fix: if the VPC has 44.32.0.0/16 now, which makes it private, add "44.32.0.0/16" to declaration.vpcCidrs in ${FILE}${STEPS}; if it has not, take it out of the except named here.`,
    ],
  },
  {
    name: "the same with an endpoint by name: told once",
    facts: { ipv4Cidrs: ["10.1.0.0/16", "44.32.0.0/16"], databaseCidrs: SUBNETS },
    declared: (declaration) => {
      declaration.endpoints = ["https://rpc.example.com:8545"];
    },
    fixes: [expect.stringContaining(`add "44.32.0.0/16" to declaration.vpcCidrs in ${EDITED}${STEPS};`)],
  },
  {
    name: "a VPC block in a public range with a database subnet in it",
    facts: { ipv4Cidrs: ["10.1.0.0/16", "44.32.0.0/16"], databaseCidrs: [...SUBNETS, "44.32.5.0/24"] },
    fixes: [
      `Fix: if the VPC has 44.32.0.0/16 now, which makes it private, add "44.32.0.0/16" to declaration.vpcCidrs in ${FILE} and add "44.32.5.0/24" to declaration.destinations.database.cidrs in ${FILE}${STEPS}; if it has not, take it out of the except named here.`,
    ],
  },
  {
    name: "a private VPC block",
    facts: { ipv4Cidrs: ["10.1.0.0/16", "100.64.0.0/16"], databaseCidrs: SUBNETS },
    fixes: [],
  },
  {
    name: "a private VPC block with a database subnet in it",
    facts: { ipv4Cidrs: ["10.1.0.0/16", "10.9.0.0/16"], databaseCidrs: [...SUBNETS, "10.9.5.0/24"] },
    fixes: [
      expect.stringContaining(`add "10.9.5.0/24" to declaration.destinations.database.cidrs in ${FILE}${STEPS};`),
    ],
  },
  {
    name: "a VPC block in a public range that goes away",
    facts: { databaseCidrs: SUBNETS },
    declared: ({ vpcCidrs }) => vpcCidrs.push("44.32.0.0/16"),
    fixes: [
      `Fix: if the VPC has no such block any more, remove "44.32.0.0/16" from declaration.vpcCidrs in ${EDITED}${STEPS}; if it has, add 44.32.0.0/16 to the except of 0.0.0.0/0 (spec.egress[4].to[0] of keeperhub/workflow-runner-block-imds).`,
    ],
  },
  {
    name: "the same with the database subnet that was in it",
    facts: { databaseCidrs: SUBNETS },
    declared: ({ vpcCidrs, destinations }) => {
      vpcCidrs.push("44.32.0.0/16");
      destinations.database.cidrs.push("44.32.5.0/24");
    },
    fixes: [expect.stringContaining(`remove "44.32.0.0/16" from declaration.vpcCidrs in ${EDITED}${STEPS};`)],
  },
];

describe("when the network changes", () => {
  it.each(CHANGES)(
    "$name: the message has the change to the declaration, and with it the plan passes",
    async (change) => {
      const config = packConfig("staging");
      change.declared?.(config.declaration);
      const { fixes, edits, fired } = await judge(change.facts, config);
      expect(fixes).toEqual(change.fixes);
      expect(fired).toHaveLength(change.fixes.length);
      applyEdits(config, edits);
      expect(await judge(change.facts, config)).toEqual({ fired: [], fixes: [], edits: [] });
    },
  );

  it.each<[string, Facts, string]>([
    [
      "a new database subnet",
      { databaseCidrs: ["2600:1f18:1234:5601::/64", "2600:1f18:1234:5602::/64"] },
      "2600:1f18:1234:5602::/64",
    ],
    ["a further IPv6 block", { ipv6Cidrs: [IPV6_VPC, "2600:1f18:9999:5600::/56"] }, "2600:1f18:9999:5600::/56"],
    [
      "a public IPv4 block, which is reached behind NAT64",
      { ipv4Cidrs: ["10.1.0.0/16", "44.32.0.0/16"] },
      "44.32.0.0/16",
    ],
  ])("of an IPv6 cluster by %s, the same", async (_, change, value) => {
    const { config } = ipv6Plan();
    const facts: Facts = {
      ipFamily: "ipv6",
      ipv6Cidrs: [IPV6_VPC],
      databaseCidrs: ["2600:1f18:1234:5601::/64"],
      ...change,
    };
    const { edits } = await judge(facts, config);
    expect(edits.map(({ action, values }) => [action, ...values])).toEqual([["add", value]]);
    applyEdits(config, edits);
    expect((await judge(facts, config)).fired).toEqual([]);
    // And back again.
    const before: Facts = { ipFamily: "ipv6", ipv6Cidrs: [IPV6_VPC], databaseCidrs: ["2600:1f18:1234:5601::/64"] };
    const back = await judge(before, config);
    expect(back.edits.map(({ action, values }) => [action, ...values])).toEqual([["remove", value]]);
    applyEdits(config, back.edits);
    expect((await judge(before, config)).fired).toEqual([]);
  });

  it("nobody is told to forget a block of the VPC because a part of it is open", async () => {
    const config = packConfig("staging");
    config.declaration.vpcCidrs.push("44.32.0.0/16");
    const facts = networkFacts({ ipv4Cidrs: ["10.1.0.0/16", "44.32.0.0/16"], databaseCidrs: SUBNETS });
    const policy: Plain = structuredClone(buildRunnerPolicy(KEEPERHUB_CONTRACT, facts).policy);
    policy.spec.egress.push({ to: [{ ipBlock: { cidr: "44.32.7.0/24" } }], ports: [{ port: 443, protocol: "TCP" }] });
    const { messages } = await runPack([networkPolicy(policy)], config);
    expect(Object.keys(messages)).toEqual(["private-reach"]);
    expect(messages["private-reach"]).toEqual([
      expect.stringContaining(
        `add "NAME": {"cidrs": ["44.32.7.0/24"], "ports": ["443/TCP"]} to declaration.destinations in ${EDITED};`,
      ),
    ]);
  });
});
