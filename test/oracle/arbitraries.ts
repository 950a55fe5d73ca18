import fc from "fast-check";
import {
  BITS,
  type Block,
  blockAt,
  type Family,
  readAddress,
  readBlock,
  writeAddress,
  writeBlock,
} from "./addresses.ts";
import type {
  EgressRule,
  IpBlock,
  LabelSelector,
  NetworkPolicy,
  Peer,
  PolicyPort,
  PortProtocol,
  Source,
} from "./policy.ts";

/** A policy set with everything its verdicts depend on. Under Kubernetes only `policies` and `source` matter. */
export interface Case {
  readonly policies: readonly NetworkPolicy[];
  readonly source?: Source | undefined;
  readonly ipFamily: Family;
  readonly nodeIp?: string | undefined;
  readonly agent: "current" | "textual" | "legacy";
}

// Few addresses that share long prefixes, and prefix lengths around them, so that blocks nest, start at the same address
// or miss each other by one. a00::/8 and 10.0.0.0/8, 2001:db8::/32 and 32.1.13.184/32 are the same key bytes.
const BASES: Readonly<Record<Family, readonly string[]>> = {
  ipv4: [
    ...["10.0.0.0", "10.0.0.1", "10.1.0.0", "10.1.0.7", "10.1.128.0", "10.128.0.0", "10.255.255.255"],
    ...["0.0.0.0", "255.255.255.255", "169.254.169.254", "32.1.13.184"],
  ],
  ipv6: [
    ...["2001:db8::", "2001:db8::1", "2001:db8:1::", "2001:db8:1::7", "2001:db8:8000::", "2001:dbf::"],
    ...["::", "ffff:ffff::", "fd00:ec2::254", "a00::", "a01::", "64:ff9b::a00:1", "2002:a00:1::"],
  ],
};
const LENGTHS: Readonly<Record<Family, readonly number[]>> = {
  ipv4: [0, 1, 7, 8, 9, 12, 15, 16, 17, 23, 24, 25, 30, 31, 32],
  ipv6: [0, 1, 7, 8, 9, 15, 16, 31, 32, 33, 47, 48, 64, 65, 95, 96, 127, 128],
};
/** An IPv6 except longer than this aborts the refresh of an IPv4 cluster's agent, which ends the questions about a set. */
const SHORT_LENGTH = 32;
const NAMES = ["http", "metrics"];
const PORTS = [1, 2, 53, 79, 80, 81, 443, 8080, 65534, 65535];

const base = (family: Family) => fc.constantFrom(...BASES[family]).map((text) => readAddress(text).value);
const portProtocol = fc.constantFrom<PortProtocol>("TCP", "UDP", "SCTP");

function block(family: Family): fc.Arbitrary<Block> {
  const length = fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...LENGTHS[family]) },
    { weight: 1, arbitrary: fc.nat(BITS[family]) },
  );
  return fc.tuple(base(family), length).map(([value, length]) => blockAt(family, value, length));
}

/** Strict subsets of a block: its network, filled up with the bits of a base address or with zeros. */
function exceptsOf(outer: Block, longest: number): fc.Arbitrary<readonly string[]> {
  const lengths = LENGTHS[outer.family].filter((length) => length > outer.prefixLength && length <= longest);
  if (lengths.length === 0) {
    return fc.constant([]);
  }
  const hostMask = outer.last - outer.first;
  const except = fc
    .tuple(fc.oneof(fc.constant(0n), base(outer.family)), fc.constantFrom(...lengths))
    .map(([value, length]) => writeBlock(blockAt(outer.family, outer.first | (value & hostMask), length)));
  return fc.uniqueArray(except, { maxLength: 3 });
}

function ipBlock(family: Family, longestExcept: number): fc.Arbitrary<IpBlock> {
  return block(family).chain((outer) => {
    const excepts = exceptsOf(outer, longestExcept);
    return fc.oneof(
      fc.constant({ cidr: writeBlock(outer) }),
      excepts.map((except) => ({ cidr: writeBlock(outer), except })),
    );
  });
}

/** Blocks of the cluster's family, now and then of the other one; rarely one whose except aborts the agent. */
function ipBlockFor(ipFamily: Family): fc.Arbitrary<IpBlock> {
  const other = ipFamily === "ipv4" ? "ipv6" : "ipv4";
  return fc.oneof(
    { weight: 12, arbitrary: ipBlock(ipFamily, BITS[ipFamily]) },
    { weight: 3, arbitrary: ipBlock(other, SHORT_LENGTH) },
    { weight: 1, arbitrary: ipBlock(other, BITS[other]) },
  );
}

export const selector: fc.Arbitrary<LabelSelector> = fc.oneof(
  fc.constant({}),
  fc.constant({ matchLabels: { app: "workflow-runner" } }),
  fc.constant({ matchLabels: { app: "workflow-runner", tier: "job" } }),
  fc.constant({ matchLabels: { app: "web" } }),
  fc
    .record({
      key: fc.constantFrom("app", "tier"),
      operator: fc.constantFrom("In", "NotIn"),
      values: fc.uniqueArray(fc.constantFrom("workflow-runner", "web", "job"), { minLength: 1, maxLength: 2 }),
    })
    .map((expression) => ({ matchExpressions: [expression] })),
  fc
    .record({ key: fc.constantFrom("app", "tier"), operator: fc.constantFrom("Exists", "DoesNotExist") })
    .map((expression) => ({ matchExpressions: [expression] })),
);

function peer(ipFamily: Family): fc.Arbitrary<Peer> {
  return fc.oneof(
    { weight: 14, arbitrary: ipBlockFor(ipFamily).map((ipBlock) => ({ ipBlock })) },
    { weight: 1, arbitrary: selector.map((podSelector) => ({ podSelector })) },
    { weight: 1, arbitrary: fc.record({ podSelector: selector, namespaceSelector: selector }) },
  );
}

const port: fc.Arbitrary<PolicyPort> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ protocol: portProtocol, port: fc.constantFrom(...PORTS) }) },
  { weight: 1, arbitrary: fc.record({ port: fc.constantFrom(...PORTS) }) },
  { weight: 1, arbitrary: fc.record({ protocol: portProtocol }) },
  { weight: 1, arbitrary: fc.record({ protocol: portProtocol, port: fc.constantFrom(...NAMES) }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(portProtocol, fc.constantFrom(...PORTS), fc.constantFrom(...PORTS))
      .map(([protocol, a, b]) => ({ protocol, port: Math.min(a, b), endPort: Math.max(a, b) })),
  },
);

/** Nearly as many entries as the agent has slots, or more; nested blocks add up their lists. */
const widePorts = fc
  .tuple(fc.integer({ min: 10, max: 27 }), fc.integer({ min: 0, max: 20 }), portProtocol)
  .map(([length, start, protocol]) =>
    Array.from({ length }, (_, index) => ({ protocol, port: 1000 + 2 * (start + index) })),
  );

function rule(ipFamily: Family): fc.Arbitrary<EgressRule> {
  return fc.record(
    {
      to: fc.oneof(
        { weight: 1, arbitrary: fc.constant([]) },
        { weight: 9, arbitrary: fc.array(peer(ipFamily), { minLength: 1, maxLength: 3 }) },
      ),
      ports: fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 12, arbitrary: fc.array(port, { minLength: 1, maxLength: 3 }) },
        { weight: 1, arbitrary: widePorts },
      ),
    },
    { requiredKeys: [] },
  );
}

const someLengths: Readonly<Record<Family, fc.Arbitrary<number[]>>> = {
  ipv4: fc.shuffledSubarray([...LENGTHS.ipv4], { minLength: 3, maxLength: 3 }),
  ipv6: fc.shuffledSubarray([...LENGTHS.ipv6], { minLength: 3, maxLength: 3 }),
};

/** A block with an except, a rule for a block between the two, and a rule for the except: the shape that over-allows. */
function nested(ipFamily: Family): fc.Arbitrary<EgressRule[]> {
  const ports = fc.array(port, { minLength: 1, maxLength: 2 });
  return fc.tuple(base(ipFamily), someLengths[ipFamily], ports, ports, ports).map(([value, lengths, ...lists]) => {
    const [outer, between, inner] = lengths
      .toSorted((a, b) => a - b)
      .map((length) => writeBlock(blockAt(ipFamily, value, length)));
    const blocks: IpBlock[] = [
      { cidr: outer ?? "", except: [inner ?? ""] },
      { cidr: between ?? "" },
      { cidr: inner ?? "" },
    ];
    return blocks.map((ipBlock, index) => ({ to: [{ ipBlock }], ports: lists[index] ?? [] }));
  });
}

function policy(ipFamily: Family): fc.Arbitrary<NetworkPolicy> {
  const spec = fc.record(
    {
      podSelector: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 2, arbitrary: selector }),
      policyTypes: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom(["Egress"], ["Ingress", "Egress"]) },
        { weight: 1, arbitrary: fc.constantFrom<string[][]>(["Ingress"], []) },
      ),
      egress: fc.oneof(
        { weight: 12, arbitrary: fc.array(rule(ipFamily), { maxLength: 4 }) },
        { weight: 1, arbitrary: fc.array(rule(ipFamily), { minLength: 5, maxLength: 9 }) },
        { weight: 2, arbitrary: nested(ipFamily) },
      ),
    },
    { requiredKeys: ["podSelector"] },
  );
  return fc
    .record({ namespace: fc.constantFrom("default", "default", "ci", undefined), spec })
    .map(({ namespace, spec }) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "p", ...(namespace === undefined ? {} : { namespace }) },
      spec,
    }));
}

const source: fc.Arbitrary<Source | undefined> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  {
    weight: 1,
    arbitrary: fc.record({
      namespace: fc.constantFrom("default", "default", "ci"),
      labels: fc.constantFrom<Source["labels"][]>(
        { app: "workflow-runner" },
        { app: "workflow-runner", tier: "job" },
        { tier: "web" },
        {},
      ),
    }),
  },
);

/** Policy sets built to collide: one to three policies, blocks of few nested pools in both families. */
export const anyCase: fc.Arbitrary<Case> = fc.constantFrom<Family>("ipv4", "ipv4", "ipv6").chain((ipFamily) =>
  fc.record({
    policies: fc.array(policy(ipFamily), { minLength: 1, maxLength: 3 }),
    source,
    ipFamily: fc.constant(ipFamily),
    nodeIp: fc.oneof(fc.constant(undefined), fc.constantFrom(...BASES[ipFamily])),
    agent: fc.constantFrom("current", "current", "current", "legacy"),
  }),
);

/** How a block is written: as it is, with bits after the prefix, or IPv4-mapped (its excepts then too, or they alone). */
type Spelling = "canonical" | "host bits" | "mapped" | "mapped excepts";

/** The same policies as somebody may write them, for agents that tell blocks apart by their text and for those that do not. */
export const looseCase: fc.Arbitrary<Case> = fc
  .tuple(
    anyCase,
    fc.constantFrom<Case["agent"]>("current", "textual"),
    fc.infiniteStream(
      fc.constantFrom<Spelling>(
        "canonical",
        "canonical",
        "canonical",
        "host bits",
        "host bits",
        "mapped",
        "mapped excepts",
      ),
    ),
  )
  .map(([subject, agent, spellings]) => {
    const respell = ({ ipBlock, ...peer }: Peer): Peer => {
      if (ipBlock === undefined) {
        return peer;
      }
      const spelling = spellings.next().value ?? "canonical";
      const write = (text: string) => spell(text, spelling);
      const cidr = spelling === "mapped excepts" ? ipBlock.cidr : write(ipBlock.cidr);
      return { ipBlock: { cidr, ...(ipBlock.except && { except: ipBlock.except.map(write) }) } };
    };
    const policies = subject.policies.map(({ spec, ...policy }) => ({
      ...policy,
      spec: {
        ...spec,
        egress: (spec?.egress ?? []).map(({ to, ...rule }) => ({ ...rule, ...(to && { to: to.map(respell) }) })),
      },
    }));
    return { ...subject, policies, agent };
  });

function spell(text: string, spelling: Spelling): string {
  const block = readBlock(text);
  if (spelling === "canonical" || (spelling !== "host bits" && block.family === "ipv6")) {
    return text;
  }
  if (spelling !== "host bits") {
    return `::ffff:${writeAddress({ family: "ipv4", value: block.first })}/${96 + block.prefixLength}`;
  }
  return `${writeAddress({ family: block.family, value: block.last })}/${block.prefixLength}`;
}
