import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { ProblemsError } from "../../analysis/problems.ts";
import { parseRecordedFacts } from "../../program/facts/recordedFactsFile.ts";
import { recordedNetwork } from "../../program/facts/recordedLookups.ts";
import { plannedPolicy } from "../../program/plannedPolicy.ts";
import { readProject } from "../../program/project.ts";
import { readStackFiles } from "../../program/stackFiles.ts";
import { FIXTURE_PROJECT } from "../support/fixtureProject.ts";
import { readDocument } from "../support/markdown.ts";
import { networkPolicy, type PackConfig, type Plain, runPack, type TestResource } from "../support/policyPack.ts";
import { projectWith } from "../support/projectWith.ts";

const read = (file: string) => readFileSync(join(FIXTURE_PROJECT, file), "utf8");
const CONFIG = (): Plain => (load(read("Pulumi.staging.yaml")) as Plain).config;
const FACTS = (): Plain => JSON.parse(read("facts/staging.json"));

interface Edit {
  readonly config?: (config: Plain) => void;
  readonly facts?: (facts: Plain) => void;
  readonly file?: (file: Plain) => void;
}

function edited(make: () => Plain, edit: ((value: Plain) => void) | undefined): Plain {
  const value = make();
  edit?.(value);
  return value;
}

/** Runs the test in a project where the files of staging are edited. */
function staging({ config, facts, file }: Edit): void {
  projectWith({
    "Pulumi.staging.yaml": dump(edited(() => ({ config: edited(CONFIG, config) }), file)),
    "facts/staging.json": JSON.stringify(edited(FACTS, facts)),
  });
}

/** What the program plans with the files of staging, in the recorded network or in another. */
async function plan(live?: (facts: Plain) => void): Promise<Plain> {
  const files = await readStackFiles(await readProject(), "staging");
  const facts = live === undefined ? files.facts : parseRecordedFacts("live", edited(FACTS, live));
  return structuredClone(plannedPolicy(files.config, (await recordedNetwork({ ...files, facts })).facts).policy);
}

/** What the pack says, which has no config of its own but what `config` gives. */
async function judge(policy: Plain, config: PackConfig = {}, options: Partial<TestResource> = {}) {
  return (await runPack([networkPolicy(policy, options)], config)).messages;
}

const destinations = (value: Plain) => (config: Plain) => {
  config["runner-egress:destinations"] = value;
};
const subnet = (cidr: string) => (facts: Plain) => {
  facts.databaseSubnets["subnet-00000000000000109"] = { cidrs: [cidr] };
};

const EDITS: readonly (Edit & { readonly name: string; readonly opens?: string })[] = [
  { name: "nothing" },
  {
    name: "a new service",
    config: destinations({ services: { queue: { podLabels: { app: "queue" }, ports: ["5672/TCP"] } } }),
  },
  { name: "a removed default destination", config: destinations({ executor: null }) },
  {
    name: "every default destination removed",
    config: destinations({ dns: null, sandbox: null, executor: null, database: null }),
  },
  { name: "a new database subnet", facts: subnet("10.1.109.0/24") },
  { name: "a second, private VPC block", facts: ({ vpc }) => vpc.ipv4Cidrs.push("100.64.0.0/16") },
  {
    name: "a second, public VPC block with a database subnet in it",
    facts: (facts) => {
      facts.vpc.ipv4Cidrs.push("44.32.0.0/16");
      subnet("44.32.5.0/24")(facts);
    },
  },
  { name: "a database port", config: destinations({ database: { ports: ["6432/TCP"] } }) },
  { name: "another cluster name", config: (config) => (config["runner-egress:cluster"] = { eks: "techops-two" }) },
  {
    name: "real ids and another add-on version",
    facts: (facts) => {
      facts.vpc.id = "vpc-0123456789abcdef0";
      facts.vpcCni.version = "v1.20.4-eksbuild.2";
    },
  },
  {
    name: "what `pulumi stack init` writes",
    file: (file) =>
      Object.assign(file, { secretsprovider: "awskms://alias/x", encryptedkey: "AQ", encryptionsalt: "v1:x" }),
  },
  {
    name: "a required endpoint",
    config: (config) => (config["runner-egress:mustReach"] = { endpoints: ["https://rpc.example.com:8545"] }),
  },
  {
    name: "the internet on one port, an allow-list and a block left out of it",
    config: destinations({
      internet: { ports: ["443/TCP"], blocks: ["140.82.112.0/20"], except: ["140.82.113.0/24"] },
    }),
  },
  {
    name: "a proxy as the only way out",
    config: destinations({ internet: null, cidrs: { proxy: { cidrs: ["10.1.7.7/32"], ports: ["3128/TCP"] } } }),
  },
  {
    name: "a peered network whose owner is named",
    config: destinations({
      cidrs: { data: { cidrs: ["10.200.0.0/16"], ports: ["443/TCP"], owner: "data team, pcx-1" } },
    }),
  },
];

describe("one edit of a stack's files", () => {
  it.each(EDITS)("$name: planned, and passed by the pack", async (edit) => {
    staging(edit);
    expect(await judge(await plan())).toEqual({});
  });

  it("a renamed policy with its acknowledgement: the plan without protection passes this once", async () => {
    const rename = (acknowledge: Plain) => (config: Plain) => {
      config["runner-egress:runner"] = { policyName: "runner-egress" };
      config["runner-egress:acknowledge"] = { "policy-identity-change": acknowledge };
    };
    staging({ config: rename({ reason: "TECH-1", expires: "9999-12-31" }) });
    expect(await judge(await plan(), {}, { protect: false })).toEqual({});
    // Afterwards the program says that it is not needed any more; the pack has no objection.
    expect(await judge(await plan())).toEqual({});
    staging({ config: rename({ reason: "TECH-1", expires: "2026-01-31" }) });
    await expect(plan()).rejects.toThrow(
      /acknowledge\.policy-identity-change\.expires is "2026-01-31": it expired; today is /,
    );
    staging({ config: (config) => (config["runner-egress:runner"] = { policyName: "runner-egress" }) });
    expect(Object.keys(await judge(await plan(), {}, { protect: false }))).toEqual(["protection"]);
  });
});

const RECORD = "run `npm run record -- --stack staging` and have the change of facts/staging.json reviewed";

describe("a network that is not the recorded one", () => {
  const CHANGES: readonly (readonly [string, (facts: Plain) => void, readonly string[]])[] = [
    ["a new database subnet", subnet("10.1.109.0/24"), ["private-reach"]],
    [
      "a database subnet that went away",
      ({ databaseSubnets }) => delete databaseSubnets["subnet-00000000000000102"],
      ["required-destinations"],
    ],
    ["a public VPC block", ({ vpc }) => vpc.ipv4Cidrs.push("44.32.0.0/16"), ["required-destinations"]],
    [
      "a public VPC block with a database subnet",
      (facts) => {
        facts.vpc.ipv4Cidrs.push("44.32.0.0/16");
        subnet("44.32.5.0/24")(facts);
      },
      ["required-destinations"],
    ],
  ];

  it.each(CHANGES)(
    "by %s is refused with the command that records it, and passes once that is done",
    async (_, change, fired) => {
      staging({});
      const messages = await judge(await plan(change));
      expect(Object.keys(messages)).toEqual(fired);
      expect(Object.values(messages).flat()).toEqual(fired.map(() => expect.stringContaining(RECORD)));
      staging({ facts: change });
      expect(await judge(await plan(change))).toEqual({});
    },
  );

  it("is refused in the words of docs/promotion.md", async () => {
    staging({});
    const { "private-reach": [message = ""] = [] } = await judge(await plan(subnet("10.1.103.0/24")));
    expect(readDocument("docs/promotion.md").replace(/\s+/g, " ")).toContain(message.replace(/\s+/g, " "));
  });

  it("by a private VPC block changes nothing", async () => {
    staging({});
    expect(await judge(await plan(({ vpc }) => vpc.ipv4Cidrs.push("10.9.0.0/16")))).toEqual({});
  });
});

describe("a plan that says something else than the files", () => {
  it.each<[string, Edit, (policy: Plain) => void, string, string]>([
    [
      "a port more",
      {},
      (policy) => policy.spec.egress[3].ports.push({ protocol: "TCP", port: 22 }),
      "private-reach",
      'add "NAME": {"cidrs": ["10.1.100.0/24"',
    ],
    [
      "pods more",
      {},
      (policy) => policy.spec.egress[0].to.push({ podSelector: { matchLabels: { app: "x" } } }),
      "private-reach",
      "as a member of runner-egress:destinations.services in Pulumi.staging.yaml",
    ],
    [
      "the whole internet where a part is meant",
      { config: destinations({ internet: { blocks: ["140.82.112.0/20"] } }) },
      (policy) => policy.spec.egress.at(-1).to.push({ ipBlock: { cidr: "8.8.8.0/24" } }),
      "private-reach",
      "8.8.8.",
    ],
    [
      "every port where one is meant",
      { config: destinations({ internet: { ports: ["443/TCP"] } }) },
      (policy) => delete policy.spec.egress.at(-1).ports,
      "private-reach",
      "Not declared",
    ],
    [
      "a service less",
      {},
      (policy) => policy.spec.egress.splice(1, 1),
      "required-destinations",
      "change runner-egress:destinations.sandbox in Pulumi.staging.yaml",
    ],
    [
      "an endpoint less",
      { config: (config) => (config["runner-egress:mustReach"] = { endpoints: ["1.1.1.1:53/udp"] }) },
      (policy) => policy.spec.egress.at(-1).to[0].ipBlock.except.push("1.1.1.0/24"),
      "required-destinations",
      "1.1.1.1:53/udp is not reachable",
    ],
  ])("%s is refused", async (_, edit, change, policyName, text) => {
    staging(edit);
    const policy = await plan();
    change(policy);
    const messages = await judge(policy);
    expect(messages[policyName]?.join("\n")).toContain(text);
  });

  it("may lose what is not required", async () => {
    staging({ config: destinations({ sandbox: { required: false }, internet: { required: false } }) });
    const policy = await plan();
    policy.spec.egress.splice(1, 1);
    policy.spec.egress.at(-1).to[0].ipBlock.except.push("8.8.8.0/24");
    expect(await judge(policy)).toEqual({});
  });
});

describe("unsafe files", () => {
  it.each<[string, Edit, RegExp]>([
    [
      "a metadata address as a destination",
      { config: destinations({ cidrs: { imds: { cidrs: ["169.254.169.254/32"], ports: ["80/TCP"] } } }) },
      /runner-egress:destinations\.cidrs\.imds: it breaks the guardrail metadata-endpoints/,
    ],
    [
      "a private block of nobody knows whom",
      { config: destinations({ cidrs: { data: { cidrs: ["10.200.0.0/16"], ports: ["443/TCP"] } } }) },
      /runner-egress:destinations\.cidrs\.data\.cidrs is "10\.200\.0\.0\/16": is private and lies in no block of the VPC \(10\.1\.0\.0\/16\)/,
    ],
    [
      "an allow-list with a private block",
      { config: destinations({ internet: { blocks: ["10.0.0.0/8"] } }) },
      /runner-egress:destinations\.internet\.blocks is "10\.0\.0\.0\/8": must be public, but lies in 10\.0\.0\.0\/8, private use/,
    ],
    [
      "an allow-list with a block of the VPC",
      {
        config: destinations({ internet: { blocks: ["44.32.5.0/24"] } }),
        facts: ({ vpc }) => vpc.ipv4Cidrs.push("44.32.0.0/16"),
      },
      /runner-egress:destinations\.internet\.blocks is "44\.32\.5\.0\/24": lies in 44\.32\.0\.0\/16, which is private in this network/,
    ],
    [
      "a block left out that another rule allows",
      {
        config: destinations({
          internet: { except: ["140.82.113.0/24"] },
          cidrs: { git: { cidrs: ["140.82.112.0/20"], ports: ["22/TCP"] } },
        }),
      },
      /runner-egress:destinations\.internet\.except is "140\.82\.113\.0\/24": lies in 140\.82\.112\.0\/20, which cidrs\.git allows/,
    ],
    ["no facts yet", {}, /facts\/staging\.json: not there; `npm run record -- --stack staging`/],
    [
      "an endpoint on a port that is closed",
      {
        config: (config) => {
          destinations({ internet: { ports: ["443/TCP"] } })(config);
          config["runner-egress:mustReach"] = { endpoints: ["rpc.example.com:8545"] };
        },
      },
      /runner-egress:mustReach\.endpoints is .*rpc\.example\.com:8545: destinations\.internet does not open 8545\/TCP/,
    ],
  ])("with %s are refused by the program and by the pack, with the key", async (name, edit, message) => {
    staging({});
    const policy = await plan();
    if (name === "no facts yet") {
      projectWith({ "facts/staging.json": undefined });
    } else {
      staging(edit);
    }
    await expect(plan()).rejects.toThrow(message);
    await expect(plan()).rejects.toBeInstanceOf(ProblemsError);
    if (name !== "a metadata address as a destination") {
      expect((await judge(policy)).declaration?.join("\n")).toMatch(message);
    }
  });
});

it("a stack of another project declares in the pack's config, or not at all", async () => {
  staging({});
  const { messages } = await runPack([networkPolicy(await plan())], {}, { project: "another" });
  expect(messages.declaration).toEqual([
    expect.stringContaining("declaration.runner: missing"),
    expect.stringContaining("declaration.cluster: missing"),
    expect.stringContaining("declaration.vpcCidrs: missing"),
  ]);
});
