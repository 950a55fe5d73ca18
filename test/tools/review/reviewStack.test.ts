import { describe, expect, it } from "vitest";
import {
  compile,
  diff,
  type EgressAnalysis,
  parseCidr,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
} from "../../../analysis/index.ts";
import type { NetworkFacts } from "../../../runner/networkFacts.ts";
import { NETWORK_POLICY, reviewDrift, reviewStack, type StackReview } from "../../../tools/review/index.ts";
import type { PlacedBlock } from "../../../tools/review/networkFacts.ts";
import { reviewRows } from "../../../tools/review/rows.ts";
import { block, type MadeStep, plan, policy, recordedPlan } from "./previews.ts";

const reviewOf = (...steps: MadeStep[]) => reviewStack(plan(steps));
const update = (before: unknown, after: unknown): MadeStep => ({ op: "update", before, after });
const rowsOf = ({ subjects }: StackReview) => subjects.flatMap(({ rows }) => rows);
const linesOf = (review: StackReview) =>
  rowsOf(review).map(({ direction, destination }) => `${direction === "gained" ? "+" : "-"} ${destination}`);

const WIDE = policy([block("0.0.0.0/0", ["10.0.0.0/8", "100.64.0.0/10"])]);
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

describe("the verdict", () => {
  it.each<readonly [string, unknown, unknown, string, readonly string[]]>([
    ["an except dropped", WIDE, policy([block("0.0.0.0/0", ["10.0.0.0/8"])]), "wider", ["+ 100.64.0.0/10"]],
    ["an except added", policy([block("0.0.0.0/0", ["10.0.0.0/8"])]), WIDE, "narrower", ["- 100.64.0.0/10"]],
    [
      "one swapped for another",
      policy([block("10.0.0.0/8")]),
      policy([block("172.16.0.0/12")]),
      "both",
      ["+ 172.16.0.0/12", "- 10.0.0.0/8"],
    ],
    [
      "rules in another order, one split in two",
      policy([block("10.0.0.0/8"), block("192.168.0.0/16")]),
      policy([block("192.168.0.0/16"), block("10.128.0.0/9"), block("10.0.0.0/9")]),
      "same reach",
      [],
    ],
  ])("%s", (_, before, after, verdict, lines) => {
    const review = reviewOf(update(before, after));
    expect(review.verdict).toBe(verdict);
    expect(linesOf(review)).toEqual(lines);
  });

  it("counts a port range and pods by label", () => {
    const pods = { to: [{ podSelector: { matchLabels: { app: "cache" } } }], ports: [{ port: 6379 }] };
    const ports = [{ port: 8000, endPort: 8010 }];
    const review = reviewOf(update(policy([]), policy([block("10.0.0.0/24", [], ports), pods])));
    expect(rowsOf(review)).toMatchObject([
      { destination: "10.0.0.0/24", protocols: ["TCP"], ports: { from: 8000, to: 8010 }, pairs: 256n * 11n },
      { destination: "pods app=cache in namespace shop", protocols: ["TCP"], ports: { from: 6379, to: 6379 } },
    ]);
  });
});

describe("states that a preview may have", () => {
  it("first deploy: narrower, with what is reachable from now on", () => {
    const review = reviewOf({ op: "create", after: policy([block("10.0.0.0/8")]) });
    expect(review.verdict).toBe("narrower");
    expect(review.subjects).toMatchObject([{ stage: "first deploy", reach: [{ destination: "10.0.0.0/8" }] }]);
  });

  it("deletion: wider, with everything open", () => {
    const review = reviewStack(recordedPlan("other.deleted.jsonl"));
    expect(review.verdict).toBe("wider");
    expect(review.subjects[0]).toMatchObject({ stage: "deletion", reach: [{ destination: "everything" }] });
    expect(review.policies).toEqual([{ id: "default/worker", kind: "deleted", hasGap: false }]);
  });

  it("replacement that creates first: both policies for a moment, none missing", () => {
    const review = reviewStack(recordedPlan("other.replaced.jsonl"));
    expect(review.verdict).toBe("same reach");
    expect(review.policies).toMatchObject([{ kind: "replaced", hasGap: false }]);
    expect(review.notes.join()).toContain("deleted after it is there");
  });

  it("replacement that deletes first: a moment without restriction is said", () => {
    const review = reviewOf(
      { op: "delete-replaced", before: WIDE },
      { op: "create-replacement", before: WIDE, after: WIDE },
    );
    expect(review.policies).toMatchObject([{ kind: "replaced", hasGap: true }]);
    expect(review.cautions.join()).toContain("in between the pods may reach everything");
  });

  it("drift that a refresh found: from the live state to the program's", () => {
    expect(linesOf(reviewStack(recordedPlan("other.refresh.jsonl")))).toEqual(["+ 10.64.0.0-10.255.255.255"]);
  });

  it("adoption: from what is live, which an import step carries", () => {
    const review = reviewOf(
      { op: "import", after: policy([block("10.0.0.0/8")]) },
      { op: "update", before: policy([block("10.0.0.0/8")]), after: policy([block("10.0.0.0/9")]) },
    );
    expect(review.policies).toMatchObject([{ kind: "adopted" }]);
    expect(linesOf(review)).toEqual(["- 10.128.0.0/9"]);
  });

  it("nothing but unchanged resources in a digest", () => {
    const { verdict, notes } = reviewStack({
      ...plan([{ op: "same", type: "pulumi:pulumi:Stack" }]),
      isComplete: false,
    });
    expect(verdict).toBe("same reach");
    expect(notes).toContain("no NetworkPolicy changes in this preview");
  });
});

describe("cannot conclude", () => {
  const withCidr = (cidr: unknown) => policy([{ to: [{ ipBlock: { cidr } }] }]);

  it.each<readonly [string, StackReview, string]>([
    ["an unknown value", reviewOf(update(WIDE, withCidr(UNKNOWN))), "spec.egress[0].to[0].ipBlock.cidr is unknown"],
    ["an unknown spec", reviewOf(update(WIDE, { ...WIDE, spec: UNKNOWN })), "spec is unknown"],
    ["a masked value", reviewOf(update(WIDE, withCidr("[secret]"))), "spec.egress[0].to[0].ipBlock.cidr is secret"],
    ["a secret", reviewStack(recordedPlan("other.secret.jsonl")), "spec.egress[0].to[0].ipBlock.cidr is secret"],
    [
      "a policy that the API server would refuse",
      reviewOf(update(WIDE, withCidr("10.0.0.0/33"))),
      "has prefix length 33; ipv4 allows 0 to 32",
    ],
    ["a failed preview", reviewStack(recordedPlan("other.adopt.jsonl")), "Server-Side Apply field conflict"],
    [
      "no NetworkPolicy in a complete plan",
      reviewOf({ op: "same", type: "kubernetes:core/v1:ConfigMap", before: {}, after: {} }),
      "the plan has no NetworkPolicy",
    ],
    [
      "a policy of AWS beside it",
      reviewOf(update(WIDE, WIDE), {
        op: "create",
        type: "kubernetes:networking.k8s.aws/v1alpha1:ClusterNetworkPolicy",
        name: "cnp",
        after: {},
      }),
      "ClusterNetworkPolicy cnp is in the plan",
    ],
    [
      "a patch of a policy elsewhere",
      reviewOf({ op: "create", type: "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch", name: "p", after: WIDE }),
      "NetworkPolicyPatch p is in the plan",
    ],
  ])("%s, and says which", (_, review, reason) => {
    expect(review.verdict).toBe("cannot conclude");
    expect(review.subjects).toEqual([]);
    expect(review.obstacles.join("\n")).toContain(reason);
  });

  it("does not stumble over a secret in another resource", () => {
    const secret = { op: "same", type: "kubernetes:core/v1:Secret", name: "s", before: { data: "[secret]" } };
    expect(reviewOf(update(WIDE, WIDE), { ...secret, after: { data: "[secret]" } }).verdict).toBe("same reach");
  });
});

/** A component that carries facts, as the project's own program has it. */
function component(before: object, after: object = before): MadeStep {
  const contract = { namespace: "shop", podLabels: { app: "worker" } };
  return {
    op: "update",
    type: "runner-egress:index:RunnerEgress",
    name: "egress",
    before: { contract, facts: before },
    after: { contract, facts: after },
  };
}

const FACTS = {
  cluster: { name: "shop", ipFamily: "ipv4" },
  addOn: { version: "v1.21.1-eksbuild.1", agentVersion: "1.3.1", networkPolicyEnabled: true, acknowledged: [] },
  vpc: { id: "vpc-1", region: "us-east-1", ipv4Cidrs: ["10.0.0.0/16"], ipv6Cidrs: [] },
  databaseSubnets: [{ id: "subnet-1", cidrs: ["10.0.100.0/24"] }],
} satisfies NetworkFacts;

describe("with the facts of the program", () => {
  it("compares as specified and as enforced, and a row says where only one holds", () => {
    // An `except` of one rule denies, on EKS, what the other rule with the same block allows.
    const dns = block("0.0.0.0/0", [], [{ protocol: "UDP", port: 53 }]);
    const web = block("0.0.0.0/0", ["10.0.0.0/8"], [{ port: 443 }]);
    const review = reviewOf(component(FACTS), update(policy([dns]), policy([dns, web])));
    expect(review.semantics).toEqual(["vpc-cni", "kubernetes"]);
    expect(review.verdict).toBe("both");
    expect(rowsOf(review).find(({ direction }) => direction === "lost")).toMatchObject({
      destination: "10.0.0.0/8",
      protocols: ["UDP"],
      semantics: ["vpc-cni"],
    });
  });

  it("shows what another agent would enforce, though no rule changes", () => {
    const rules = policy([block("0.0.0.0/0", ["10.0.0.0/8"]), block("10.0.100.0/24", [], [{ port: 5432 }])]);
    const old = { ...FACTS, addOn: { ...FACTS.addOn, agentVersion: "1.2.3" } };
    const review = reviewOf(component(FACTS, old), update(rules, rules));
    expect(review.verdict).toBe("wider");
    expect(rowsOf(review).every(({ semantics }) => semantics.join() === "vpc-cni")).toBe(true);
    expect(rowsOf(review)[0]).toMatchObject({ destination: "10.0.100.0/24" });
    expect(review.facts).toContainEqual({
      what: "Network policy add-on: agent version",
      before: "1.3.1",
      after: "1.2.3",
    });
  });

  it("reports random verdicts as a gain", () => {
    const rules = (count: number) =>
      policy([
        block(
          "10.9.0.0/16",
          [],
          Array.from({ length: count }, (_, index) => ({ port: 1000 + 2 * index })),
        ),
      ]);
    const review = reviewOf(component(FACTS), update(rules(24), rules(26)));
    expect(rowsOf(review).some(({ after }) => after === "order-dependent")).toBe(true);
  });

  it("names the VPC and the database subnets, the most telling name first", () => {
    const review = reviewOf(component(FACTS), update(policy([]), policy([block("10.0.100.0/25")])));
    expect(rowsOf(review)[0]?.names.slice(0, 2)).toEqual([
      "database subnet subnet-1 (10.0.100.0/24)",
      "VPC vpc-1 (10.0.0.0/16)",
    ]);
  });

  it.each<readonly [string, object, object]>([
    [
      "a new database subnet",
      { databaseSubnets: [...FACTS.databaseSubnets, { id: "subnet-2", cidrs: ["10.0.101.0/24"] }] },
      { what: "Database subnet", before: undefined, after: "subnet-2 (10.0.101.0/24)" },
    ],
    [
      "a lost VPC CIDR",
      { vpc: { ...FACTS.vpc, ipv4Cidrs: [] } },
      { what: "VPC CIDR", before: "10.0.0.0/16", after: undefined },
    ],
    [
      "network policy switched off",
      { addOn: { ...FACTS.addOn, networkPolicyEnabled: false } },
      { what: "Network policy add-on: network policy enabled", before: "true", after: "false" },
    ],
    [
      "another family",
      { cluster: { ...FACTS.cluster, ipFamily: "ipv6" } },
      { what: "Cluster: IP family", before: "ipv4", after: "ipv6" },
    ],
  ])("says what changed in the network: %s", (_, change, expected) => {
    const review = reviewOf(component(FACTS, { ...FACTS, ...change }), update(WIDE, WIDE));
    expect(review.facts).toEqual([expected]);
  });

  it("says nothing about the network on a first deploy", () => {
    const step = { ...component(FACTS), before: undefined, op: "create" };
    expect(reviewOf(step, { op: "create", after: WIDE }).facts).toEqual([]);
  });

  it("judges the contract's pods, whatever else is in the stack", () => {
    const other = {
      ...policy([block("10.0.0.0/8")]),
      metadata: { name: "other", namespace: "shop" },
      spec: { podSelector: { matchLabels: { app: "other" } }, egress: [] },
    };
    const review = reviewOf(component(FACTS), update(WIDE, WIDE), { op: "create", name: "other", after: other });
    expect(review.subjects.map(({ source }) => source)).toEqual([{ namespace: "shop", labels: { app: "worker" } }]);
    expect(review.verdict).toBe("same reach");
  });
});

describe("cautions", () => {
  const enabled = (networkPolicyEnabled: boolean | "unknown") => ({
    ...FACTS,
    addOn: { ...FACTS.addOn, networkPolicyEnabled },
  });

  it.each<readonly [string, object, object, readonly unknown[]]>([
    ["nothing where policies are enforced", enabled(true), enabled(true), []],
    [
      "an add-on that enforces nothing",
      enabled(false),
      enabled(false),
      [expect.stringMatching(/switched off: unless something else enforces/)],
    ],
    [
      "an add-on that was switched off",
      enabled(true),
      enabled(false),
      [expect.stringMatching(/switched off, and was on before/)],
    ],
    [
      "an add-on that nobody can read",
      enabled("unknown"),
      enabled("unknown"),
      [expect.stringMatching(/can't be read/)],
    ],
  ])("%s", (_, before, after, cautions) => {
    expect(reviewOf(component(before, after), update(WIDE, WIDE)).cautions).toEqual(cautions);
  });
});

describe("what a gain means", () => {
  const gain = (...egress: readonly unknown[]) =>
    rowsOf(reviewOf(component(FACTS), update(policy([]), policy(egress))));
  const onPort = (port: number, protocol = "TCP") => [{ protocol, port }];

  it.each<readonly [string, unknown, readonly string[]]>([
    ["the metadata service", block("169.254.169.254/32"), ["credentials"]],
    ["EKS Pod Identity over IPv6", block("fd00:ec2::23/128", [], onPort(80)), ["credentials", "private"]],
    ["the metadata service, but a port above its own", block("169.254.169.254/32", [], onPort(443)), []],
    ["the metadata service, but a port below its own", block("169.254.169.254/32", [], onPort(22)), []],
    ["the metadata service, but not its protocol", block("169.254.169.254/32", [], onPort(80, "UDP")), []],
    ["a private block", block("192.168.7.0/24"), ["private"]],
    ["carrier-grade NAT, where EKS puts pods", block("100.64.0.0/10"), ["private"]],
    ["a public block", block("8.8.8.0/24"), ["internet"]],
    ["documentation, where nobody is", block("192.0.2.0/24"), []],
    ["everything", block("0.0.0.0/0"), ["credentials", "private", "internet"]],
    ["pods", { to: [{ podSelector: { matchLabels: { app: "cache" } } }] }, ["pods"]],
  ])("%s", (_, rule, concerns) => {
    expect(gain(rule).map((row) => row.concerns)).toEqual([concerns]);
  });

  it("a public block that the VPC uses is the VPC's", () => {
    const facts = { ...FACTS, vpc: { ...FACTS.vpc, ipv4Cidrs: ["52.95.0.0/16"] } };
    const review = reviewOf(component(facts), update(policy([]), policy([block("52.95.7.0/24")])));
    expect(rowsOf(review)[0]?.concerns).toEqual(["private"]);
  });

  it("nothing for a loss", () => {
    const review = reviewOf(component(FACTS), update(policy([block("10.0.0.0/8")]), policy([])));
    expect(rowsOf(review).map(({ concerns }) => concerns)).toEqual([[]]);
  });
});

describe("the program's own names", () => {
  const contract = {
    namespace: "shop",
    podLabels: { app: "worker" },
    services: [{ name: "cache", namespace: "shop", podLabels: { tier: "b", app: "cache" }, ports: [] }],
    cidrs: [{ name: "legacy", cidrs: ["10.0.50.0/24", "not known yet"], ports: [] }],
  };
  const named = { ...component(FACTS), after: { contract, facts: FACTS } };
  const cache = { to: [{ podSelector: { matchLabels: { app: "cache", tier: "b" } } }], ports: [{ port: 6379 }] };

  it("stand before those of the network, in rows and in the reach", () => {
    const review = reviewOf(named, update(policy([]), policy([block("10.0.50.0/24"), cache])));
    expect(rowsOf(review).map(({ names }) => names.slice(0, 2))).toEqual([
      ["destination legacy", "VPC vpc-1 (10.0.0.0/16)"],
      ["destination cache"],
    ]);
    expect(review.subjects[0]?.reach.map(({ names }) => names[0])).toEqual(["destination legacy", "destination cache"]);
  });

  it("are remembered for what is removed", () => {
    const step = { ...component(FACTS), before: { contract, facts: FACTS } };
    const review = reviewOf(step, update(policy([cache]), policy([])));
    expect(rowsOf(review)).toMatchObject([{ direction: "lost", names: ["destination cache"] }]);
  });
});

describe("a changed selector", () => {
  const selecting = (podSelector: object) => ({
    ...WIDE,
    spec: { ...(WIDE.spec as object), podSelector },
  });
  const renamed = selecting({ matchLabels: { app: "worker-2" } });
  const subjectsOf = (review: StackReview) =>
    review.subjects.map(({ source, stage, verdict }) => [source?.labels.app, stage, verdict]);

  it("does not hide the pods that it leaves behind, which may then reach everything", () => {
    const contract = { namespace: "shop", podLabels: { app: "worker-2" } };
    const step = { ...component(FACTS), after: { contract, facts: FACTS } };
    const review = reviewOf(step, update(WIDE, renamed));
    expect(subjectsOf(review)).toEqual([
      ["worker-2", "first deploy", "narrower"],
      ["worker", "deletion", "wider"],
    ]);
    expect(review.verdict).toBe("both");
  });

  it("does not hide them either where another resource takes over", () => {
    const contract = { namespace: "shop", podLabels: { app: "worker-2" } };
    const review = reviewOf(
      { ...component(FACTS), after: { contract, facts: FACTS } },
      { op: "delete", name: "old", before: WIDE },
      { op: "create", name: "new", after: { ...renamed, metadata: { name: "worker-2", namespace: "shop" } } },
    );
    expect(subjectsOf(review)).toEqual([
      ["worker-2", "first deploy", "narrower"],
      ["worker", "deletion", "wider"],
    ]);
  });

  it("that is an expression is no riddle while its policy stays as it is", () => {
    const other = { ...selecting({ matchExpressions: [{ key: "x", operator: "Exists" }] }), metadata: { name: "x" } };
    const review = reviewOf(update(WIDE, policy([])), { op: "same", name: "x", before: other, after: other });
    expect(review.verdict).toBe("narrower");
  });

  it("counts where only the live policy has the former one", () => {
    const review = reviewStack(
      plan([
        { ...component(FACTS), op: "create" },
        { op: "same", before: WIDE, after: WIDE },
      ]),
      {
        live: [renamed],
      },
    );
    expect(subjectsOf(review)).toEqual([
      ["worker", "first deploy", "narrower"],
      ["worker-2", "deletion", "wider"],
    ]);
  });

  it.each<readonly [string, MadeStep[]]>([
    [
      "from an expression, with a contract",
      [component(FACTS), update(selecting({ matchExpressions: [{ key: "app", operator: "Exists" }] }), WIDE)],
    ],
    [
      "of one kind of pod by an expression, another by labels",
      [
        update(WIDE, WIDE),
        {
          op: "create",
          name: "second",
          after: {
            ...selecting({ matchExpressions: [{ key: "x", operator: "Exists" }] }),
            metadata: { name: "second" },
          },
        },
      ],
    ],
    [
      "from one expression to another",
      [
        update(
          selecting({ matchExpressions: [{ key: "x", operator: "Exists" }] }),
          selecting({ matchExpressions: [{ key: "y", operator: "Exists" }] }),
        ),
      ],
    ],
  ])("that no pod can be made from is not judged: %s", (_, steps) => {
    const review = reviewOf(...steps);
    expect(review.verdict).toBe("cannot conclude");
    expect(review.obstacles.join()).toContain("selects pods by an expression; say which pods");
    const source = { namespace: "shop", labels: { app: "worker" } };
    expect(reviewStack(plan(steps), { source }).obstacles).toEqual([]);
  });

  it("that stays an expression is judged for whatever it selects", () => {
    const selector = { matchExpressions: [{ key: "app", operator: "In", values: ["a", "b"] }] };
    const open = { ...policy([block("0.0.0.0/0")]) };
    const after = { ...open, spec: { ...(open.spec as object), podSelector: selector } };
    expect(linesOf(reviewOf(update(selecting(selector), after)))).toEqual(["+ 10.0.0.0/8", "+ 100.64.0.0/10"]);
  });
});

it("a policy that moves to another resource is not believed to stay, because the engine deletes last", () => {
  const review = reviewOf({ op: "delete", name: "old", before: WIDE }, { op: "create", name: "new", after: WIDE });
  expect(review.verdict).toBe("cannot conclude");
  expect(review.obstacles.join()).toContain("give the new resource an alias");
});

describe("without a contract", () => {
  it("judges each kind of pod that a policy selects", () => {
    const other = { ...WIDE, spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Egress"] } };
    const named = { ...other, metadata: { name: "db", namespace: "shop" } };
    const review = reviewOf(update(WIDE, WIDE), { op: "create", name: "db", after: named });
    expect(review.subjects.map(({ source, verdict }) => [source?.labels.app, verdict])).toEqual([
      ["db", "narrower"],
      ["worker", "same reach"],
    ]);
  });

  it("judges the union of all policies that select the pod", () => {
    const second = { ...policy([block("10.0.0.0/8")]), metadata: { name: "second", namespace: "shop" } };
    const review = reviewOf({ op: "same", before: WIDE, after: WIDE }, { op: "create", name: "second", after: second });
    expect(linesOf(review)).toEqual(["+ 10.0.0.0/8"]);
  });
});

describe("with the live policies", () => {
  const live = (egress: readonly unknown[], name = "worker") => policy(egress, { name });

  it("starts from what is live instead of what Pulumi remembers", () => {
    const review = reviewStack(plan([{ op: "same", before: WIDE, after: WIDE }]), {
      live: [live([block("0.0.0.0/0", ["10.0.0.0/8", "100.64.0.0/10"]), block("10.0.0.0/8")])],
    });
    expect(linesOf(review)).toEqual(["- 10.0.0.0/8"]);
  });

  it("does not keep a live policy that the stack deletes", () => {
    const review = reviewStack(plan([{ op: "delete", before: WIDE }]), { live: [WIDE] });
    expect(review.subjects).toMatchObject([{ stage: "deletion", verdict: "wider" }]);
  });

  it("counts policies that the stack does not own on both sides", () => {
    const others = [live([block("0.0.0.0/0", ["10.0.0.0/8", "100.64.0.0/10"])]), live([block("10.0.0.0/8")], "theirs")];
    const review = reviewStack(plan([update(WIDE, policy([block("10.0.0.0/16")]))]), { live: others });
    expect(linesOf(review).filter((line) => line.startsWith("+"))).toEqual([]);
  });

  it("drift: what is live beyond the program, and what is missing", () => {
    const appended = live([
      block("0.0.0.0/0", ["10.0.0.0/8", "100.64.0.0/10"]),
      block("10.0.0.0/8", [], [{ port: 22 }]),
    ]);
    const review = reviewDrift(plan([{ op: "same", before: WIDE, after: WIDE }]), [appended]);
    expect(review).toMatchObject({ perspective: "drift", verdict: "wider" });
    expect(linesOf(review)).toEqual(["+ 10.0.0.0/8"]);
    expect(reviewDrift(plan([{ op: "same", before: WIDE, after: WIDE }]), [live([])]).verdict).toBe("narrower");
  });

  it("drift: a live policy that is gone", () => {
    const review = reviewDrift(plan([{ op: "same", before: WIDE, after: WIDE }]), []);
    expect(review.verdict).toBe("wider");
    expect(review.subjects[0]?.stage).toBe("deletion");
  });
});

describe("the dry run of the API server", () => {
  const after = policy([block("10.0.0.0/8")]);
  const outputs = (answered: object) => ({
    resOutputsEvent: {
      metadata: { urn: `urn:pulumi:dev::project::${NETWORK_POLICY}::policy`, new: { outputs: answered } },
    },
  });
  const tryOut = (op: string, answered?: object) =>
    reviewStack(
      plan([{ op, before: op === "create" ? undefined : policy([]), after }], answered ? [outputs(answered)] : []),
    );
  const tried = (spec: unknown) => ({ metadata: { uid: "1" }, spec });
  const { spec } = after as { spec: object };

  it.each([
    ["was not allowed", "update", { metadata: { name: "worker" }, spec }, 1],
    ["took place", "update", tried(spec), 0],
    ["has nothing to try", "same", { metadata: { name: "worker" }, spec }, 0],
    ["is not told by the source", "update", undefined, 0],
  ])("%s", (_, op, answered, notes) => {
    const { notes: said, cautions } = tryOut(op, answered);
    expect(said.filter((note) => note.includes("no dry run"))).toHaveLength(notes);
    expect(cautions).toEqual([]);
  });

  it("shows a webhook that makes another policy of it", () => {
    const { cautions } = tryOut("create", tried({ ...spec, egress: [{}] }));
    expect(cautions).toEqual([expect.stringContaining("as a mutating admission webhook makes it")]);
  });
});

describe("rows", () => {
  const KUBERNETES = { name: "kubernetes" } as const;
  const compiled = (...egress: object[]) =>
    compile(parseNetworkPolicies([policy(egress)]), { semantics: KUBERNETES, source: SELECTED_BY_EVERY_POLICY });
  const OWN: PlacedBlock[] = [
    { cidr: parseCidr("10.1.0.0/16"), name: "VPC vpc-1", place: "vpc" },
    { cidr: parseCidr("172.20.0.0/16"), name: "Services of cluster shop", place: "network" },
  ];
  const rows = (before: EgressAnalysis, after: EgressAnalysis) =>
    reviewRows([{ semantics: "kubernetes", before, after, diff: diff(before, after, OWN) }], {
      blocks: OWN,
      pods: new Map(),
    }).map(({ direction, destination, witness }) => [direction, destination, witness]);
  const dns = { to: [{ podSelector: { matchLabels: { app: "dns" } } }], ports: [{ port: 53 }] };

  it("show nothing as opened where a change only tightens: blocks reached the pods before", () => {
    const tightened = rows(compiled(block("0.0.0.0/0", ["169.254.0.0/16"])), compiled(dns));
    expect(tightened.map(([direction]) => direction)).not.toContain("gained");
    expect(tightened.length).toBeGreaterThan(0);
    expect(rows(compiled(), compiled(dns))).toEqual([["gained", "pods app=dns in namespace shop", undefined]]);
  });

  it.each<readonly [string, object, boolean]>([
    ["all of the VPC on its port, without the Services' block", block("10.1.0.0/16", [], dns.ports), false],
    ["all of the VPC on another port", block("10.1.0.0/16", [], [{ port: 54 }]), true],
    ["the VPC but for one address", block("10.1.0.0/16", ["10.1.7.7/32"], dns.ports), true],
    ["the Services' block alone", block("172.20.0.0/16", [], dns.ports), true],
  ])("call a pod rule opened unless blocks reached every pod before: %s", (_, before, isOpened) => {
    const pods = rows(compiled(before), compiled(before, dns)).filter(([, destination]) =>
      destination?.includes("dns"),
    );
    expect(pods.length > 0).toBe(isOpened);
  });

  it("begin with credentials, by their own address and port", () => {
    const opened = rows(
      compiled(),
      compiled(block("10.0.0.0/8"), { ...block("169.254.0.0/16"), ports: [{ port: 22 }, { port: 80 }] }),
    );
    expect(opened[0]).toEqual(["gained", "169.254.0.0/16", "169.254.169.254:80/tcp"]);
  });
});
