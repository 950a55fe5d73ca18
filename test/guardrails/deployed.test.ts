import { describe, expect, it } from "vitest";
import { conclusive } from "../../guardrails/conclusive.ts";
import {
  type ChangeAcknowledgement,
  type Declaration,
  type RegionAcknowledgement,
  situationOf,
} from "../../guardrails/index.ts";
import { protection } from "../../guardrails/protection.ts";
import { union } from "../../guardrails/union.ts";
import { widening } from "../../guardrails/widening.ts";
import { addresses, declare, pods, tcp } from "../support/declarations.ts";
import { block, policy } from "../support/policies.ts";

const TODAY = "2026-11-24";
const PUBLIC = block("0.0.0.0/0", {
  except: [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"],
    ...["192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"],
    ...["224.0.0.0/4", "240.0.0.0/4"],
  ],
});
const port = (number: number) => ({ ports: [{ port: number, protocol: "TCP" }] });
const DATABASE = block("10.1.100.0/24", port(5432));
const web = (namespace: string) => ({
  to: [
    {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      podSelector: { matchLabels: { app: "web" } },
    },
  ],
  ...port(80),
});

const declaration = declare({ destinations: [addresses("database", ["10.1.100.0/24"], tcp(5432))] });
const named = (name: string, egress: unknown[], spec: object = {}) => policy(egress, { metadata: { name }, spec });
const runner = (...egress: unknown[]) => named("runner", egress);

function situation(planned: readonly object[], deployed?: readonly object[], of: Declaration = declaration) {
  const found = (objects: readonly object[]) => objects.map((object, index) => ({ resource: `${index}`, object }));
  return situationOf({ declaration: of, planned: found(planned), ...(deployed && { deployed: found(deployed) }) });
}

describe("union", () => {
  const judge = (...args: Parameters<typeof situation>) => union(situation(...args)).map(({ message }) => message);

  it("says nothing where the declared policy is alone, however bad it is", () => {
    expect(judge([runner({})])).toEqual([]);
  });

  it("says nothing of what the declared policy opens itself, beside others", () => {
    expect(judge([runner(block("10.0.0.0/8"), web("shop"))], [named("harmless", [DATABASE])])).toEqual([]);
  });

  it("finds what a deployed policy opens, and names it", () => {
    const [violation, ...more] = union(
      situation([runner(DATABASE)], [runner(DATABASE), named("legacy", [block("10.0.0.0/8")])]),
    );
    expect(more).toEqual([]);
    expect(violation).toMatchObject({ policy: "keeperhub/legacy", rule: 0, resource: "1" });
    expect(violation?.message).toContain("is allowed by rule 0 of keeperhub/legacy (10.0.0.0/8, spec.egress[0].to[0])");
    // What the database's rule allows already is not part of it.
    expect(violation?.message).toMatch(/Not declared: .*10\.1\.100\.0\/24 TCP 0-5431/);
  });

  it("finds pods that a deployed policy opens", () => {
    expect(judge([runner(DATABASE)], [named("legacy", [web("shop")])])).toEqual([
      expect.stringContaining("pods app=web in namespace shop, TCP 80: allowed by rule 0 of keeperhub/legacy"),
    ]);
  });

  it("finds the port entries that a policy adds to pods, also beside a worse overflow of the declared one", () => {
    const web = (app: string, count: number) => ({
      to: [{ podSelector: { matchLabels: { app } } }],
      ports: Array.from({ length: count }, (_, index) => ({ port: 9000 + 2 * index, protocol: "TCP" })),
    });
    const of = declare({
      destinations: ["shop", "till"].map((app) => pods("keeperhub", { app }, tcp(9000, 9100))),
    });
    const found = judge([runner(web("shop", 30), web("till", 20)), named("more", [web("till", 25)])], undefined, of);
    expect(found).toEqual([
      expect.stringMatching(/^slot-overflow: .* On EKS pods app=till in .* have 25 port entries/),
    ]);
  });

  it("takes the planned form of a policy that is deployed too", () => {
    expect(judge([runner(DATABASE)], [runner(block("10.0.0.0/8"))])).toEqual([]);
  });

  it("says nothing of what is open already where the declared policy isolates nothing", () => {
    const open = named("runner", [DATABASE], { policyTypes: ["Ingress"] });
    const other = named("other", [web("shop"), block("10.0.0.0/8")]);
    const gained = judge([open], [other]).filter((message) => message.includes("Not declared"));
    // The agent applies its rules all the same, so that there something is gained.
    expect(gained).toEqual([
      expect.stringMatching(/^10\.0\.0\.1:443.*\(vpc-cni\)$/),
      expect.stringMatching(/^pods app=web.*\(vpc-cni\)$/),
    ]);
  });

  it("finds a required destination that another policy's except takes away on EKS", () => {
    const violations = union(
      situation(
        [runner(DATABASE)],
        [named("legacy", [block("10.1.0.0/16", { except: ["10.1.100.0/25"], ...port(5432) })])],
      ),
    );
    expect(violations.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/^destination database is not reachable everywhere: .*\(vpc-cni\)$/),
    );
  });

  it("says nothing of deployed policies for other pods", () => {
    expect(judge([runner(DATABASE)], [named("api", [{}], { podSelector: { matchLabels: { app: "api" } } })])).toEqual(
      [],
    );
  });

  it("judges what is deployed on top of the whole plan where no policy is declared by name", () => {
    const unnamed = declare({ policies: [], destinations: declaration.destinations });
    expect(judge([runner(DATABASE), named("more", [block("10.9.0.0/16")])], [], unnamed)).toEqual([]);
    expect(judge([runner(DATABASE)], [named("more", [block("10.9.0.0/16")])], unnamed)).toHaveLength(1);
  });

  it("cannot conclude from a deployed policy that it cannot read", () => {
    const of = situation([runner(DATABASE)], [named("odd", [block("10.0.0.0/33")])]);
    expect(union(of)).toEqual([]);
    expect(conclusive(of)).toEqual([
      expect.objectContaining({ policy: "keeperhub/odd", message: expect.stringContaining("/33") }),
    ]);
  });
});

describe("protection", () => {
  const word = (change: ChangeAcknowledgement["change"], expires = "2026-12-31"): ChangeAcknowledgement => ({
    name: "move",
    reason: "TECH-1",
    policy: "keeperhub/runner",
    change,
    expires,
  });
  const judge = (of: ReturnType<typeof situation>, words: ChangeAcknowledgement[] = [], today = TODAY) =>
    protection(of, words, today).map(({ message }) => message);
  const plan = (protect: boolean | undefined) =>
    situationOf({
      declaration,
      planned: [{ resource: "0", object: runner(DATABASE), ...(protect !== undefined && { protect }) }],
    });

  it("wants the declared policy protected, where that is known", () => {
    expect(judge(plan(true))).toEqual([]);
    expect(judge(plan(undefined))).toEqual([]);
    expect(judge(plan(false))).toEqual([expect.stringContaining("NetworkPolicy keeperhub/runner is not protected")]);
    expect(judge(plan(false), [word("unprotect")])).toEqual([]);
  });

  it("does not take the word for another change, or an expired one", () => {
    expect(judge(plan(false), [word("remove")])).toEqual([
      expect.stringContaining("is not protected"),
      expect.stringContaining('acknowledgement "move" (TECH-1) is not used'),
    ]);
    expect(judge(plan(false), [word("unprotect", "2026-11-23")])).toEqual([
      expect.stringContaining("is not protected"),
      expect.stringContaining("expired on 2026-11-23; today is 2026-11-24"),
    ]);
    expect(judge(plan(false), [word("unprotect", TODAY)])).toEqual([]);
  });

  it("notices a deployed policy that leaves the plan", () => {
    const gone = situation([], [runner(DATABASE)]);
    expect(judge(gone)).toEqual([expect.stringContaining("keeperhub/runner is deployed and not in the plan")]);
    expect(judge(gone, [word("remove")])).toEqual([]);
    expect(judge(situation([], [named("other", [])]))).toEqual([]);
  });

  it("says nothing of what left where a policy without a name, or a declared one without a selector, may be it", () => {
    const planned = (object: object, unknownPaths: string[]) =>
      situationOf({
        declaration,
        planned: [{ resource: "0", object, unknownPaths, protect: true }],
        deployed: [{ resource: "1", object: runner() }],
      });
    for (const of of [planned(runner(), ["spec.podSelector"]), planned(runner(), ["metadata.name"])]) {
      expect(judge(of)).toEqual([]);
      expect(conclusive(of)).toHaveLength(1);
    }
  });

  it("notices that a deployed policy leaves the plan even if it cannot be read", () => {
    const odd = named("runner", [block("10.0.0.0/33")]);
    expect(judge(situation([], [odd]))).toEqual([expect.stringContaining("keeperhub/runner is deployed and not in")]);
  });

  it("notices other pods", () => {
    const before = named("runner", [DATABASE], { podSelector: { matchLabels: { app: "workflow-runner", v: "1" } } });
    expect(judge(situation([runner(DATABASE)], [before]))).toEqual([
      expect.stringContaining('changes its podSelector from "app=workflow-runner,v=1" to "app=workflow-runner"'),
    ]);
    expect(judge(situation([runner(DATABASE)], [before]), [word("selector")])).toEqual([]);
    expect(judge(situation([runner(DATABASE)], [runner()]))).toEqual([]);
  });
});

describe("widening", () => {
  const region = (
    cidrs: readonly string[],
    ports: Parameters<typeof addresses>[2][],
    expires = "2026-12-31",
  ): RegionAcknowledgement => ({ name: "word", reason: "TECH-2", expires, region: addresses("", cidrs, ...ports) });
  const judge = (of: ReturnType<typeof situation>, words: RegionAcknowledgement[] = [], today = TODAY) =>
    widening(of, words, today).map(({ message }) => message);
  const before = [runner(DATABASE, PUBLIC)];

  it("says nothing where nothing private is new: the same, narrower, wider only in public", () => {
    expect(judge(situation([runner(DATABASE, PUBLIC)], before))).toEqual([]);
    expect(judge(situation([runner(DATABASE)], before))).toEqual([]);
    expect(judge(situation([runner(DATABASE, PUBLIC)], [runner(DATABASE)]))).toEqual([]);
  });

  it("says nothing where the runners were wide open, or nothing is known of before", () => {
    expect(judge(situation([runner(block("10.0.0.0/8"), web("shop"))], []))).toEqual([]);
    expect(judge(situation([runner(block("10.0.0.0/8"))]))).toEqual([]);
  });

  it("finds a new private region, declared or not, by rule", () => {
    const wider = situation([runner(DATABASE, PUBLIC, block("10.1.103.0/24", port(5432)))], before);
    expect(widening(wider, [], TODAY)).toEqual([
      expect.objectContaining({ policy: "keeperhub/runner", rule: 2, witness: "10.1.103.1:5432/tcp" }),
    ]);
    expect(judge(wider)[0]).toContain("Newly reachable: 10.1.103.0/24 TCP 5432");
  });

  it("is silent about exactly what is acknowledged", () => {
    const wider = situation([runner(DATABASE, PUBLIC, block("10.1.102.0/23", port(5432)))], before);
    expect(judge(wider, [region(["10.1.102.0/23"], [tcp(5432)])])).toEqual([]);
    expect(judge(wider, [region(["10.1.103.0/24"], [tcp(1, 65535)])])).toEqual([
      expect.stringContaining("Newly reachable: 10.1.102.0/24 TCP 5432"),
    ]);
    expect(judge(wider, [region(["10.1.102.0/23"], [tcp(443)])])).toEqual([
      expect.stringContaining("Newly reachable: 10.1.102.0/23 TCP 5432"),
      expect.stringContaining("is not used"),
    ]);
  });

  it("reports an expired word, and what it no longer covers", () => {
    const wider = situation([runner(DATABASE, PUBLIC, block("10.1.103.0/24", port(5432)))], before);
    const words = [region(["10.1.103.0/24"], [tcp(5432)], "2026-11-23")];
    expect(judge(wider, words)).toEqual([
      expect.stringContaining("Newly reachable: 10.1.103.0/24 TCP 5432"),
      expect.stringContaining("expired on 2026-11-23"),
    ]);
    expect(judge(wider, words, "2026-11-23")).toEqual([]);
  });

  it("reports a word that covers what was reachable before", () => {
    expect(judge(situation(before, before), [region(["10.1.100.0/24"], [tcp(5432)])])).toEqual([
      expect.stringContaining('acknowledgement "word" (TECH-2) is not used'),
    ]);
  });

  it("cannot match a word with anything where it is not known what is deployed", () => {
    expect(judge(situation(before), [region(["10.1.100.0/24"], [tcp(5432)])])).toEqual([
      expect.stringContaining("cannot conclude"),
    ]);
  });

  it("finds new pods, and is silent about those acknowledged", () => {
    const wider = situation([runner(DATABASE, PUBLIC, web("shop"))], before);
    const word = { ...region([], []), region: pods("shop", { app: "web" }, tcp(80)) };
    expect(judge(wider)).toEqual([expect.stringContaining("pods app=web in namespace shop, TCP 80")]);
    expect(judge(wider, [word])).toEqual([]);
    expect(judge(situation(before, before), [word])).toEqual([expect.stringContaining("is not used")]);
  });

  it("finds what only the agent opens, through a block in between", () => {
    // Kubernetes keeps rule 1 out of the /24 before and after; the agent lets it inherit every port through the /16.
    const open = block("0.0.0.0/0", { except: ["10.1.100.0/24"] });
    const wider = situation([runner(DATABASE, open, block("10.1.0.0/16", port(443)))], [runner(DATABASE, open)]);
    expect(judge(wider)).toContainEqual(
      expect.stringMatching(
        /^10\.1\.100\.1:443\/udp .*by rule 1 of .*passed on by the map entry of 10\.1\.0\.0\/16.*\(vpc-cni\)$/,
      ),
    );
  });

  it("says nothing where nothing is known of what was enforced", () => {
    const of = situation([runner(DATABASE, PUBLIC, web("shop"))], [named("odd", [], { podSelector: 1 })]);
    expect(judge(of)).toEqual([]);
    expect(conclusive(of)).toEqual([expect.objectContaining({ policy: "keeperhub/odd" })]);
  });

  it("compares as specified where the agent could not load what was deployed", () => {
    const frozen = runner(DATABASE, PUBLIC, block("::/0", { except: ["64:ff9b::/96"] }));
    expect(judge(situation([runner(DATABASE, PUBLIC, web("shop"))], [frozen]))).toEqual([
      expect.stringMatching(/^pods app=web in namespace shop, TCP 80.*\(kubernetes\)$/),
    ]);
  });

  it("tells the words that acknowledge a region", () => {
    const wider = situation([runner(DATABASE, PUBLIC, block("10.1.103.0/24", port(5432)))], before);
    expect(widening(wider, [], TODAY).map(({ fix }) => fix)).toEqual([
      expect.stringContaining(
        'add "NAME": {"cidrs": ["10.1.103.0/24"], "ports": ["5432/TCP"], "reason": "WHY", "expires": "YYYY-MM-DD"} to widening.acknowledgements of the declaration',
      ),
    ]);
  });
});
