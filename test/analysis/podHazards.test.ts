import { describe, expect, it } from "vitest";
import {
  compile,
  parseCidr,
  parseNetworkPolicies,
  podHazards,
  SELECTED_BY_EVERY_POLICY,
} from "../../analysis/index.ts";
import { block, policy } from "../support/policies.ts";

const VPC = [parseCidr("10.1.0.0/16")];
const ports = (count: number, from = 1000) => Array.from({ length: count }, (_, index) => ({ port: from + index }));
const peer = (podSelector: object, namespace = "shop") => ({
  namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
  podSelector,
});
const app = (...values: string[]) => ({ matchExpressions: [{ key: "app", operator: "In", values }] });
const to = (peers: object[], count: number, from?: number) => ({ to: peers, ports: ports(count, from) });
const found = (egress: object[], agentVersion = "1.4.2", blocks = VPC) => {
  const semantics = { name: "vpc-cni" as const, ipFamily: "ipv4" as const, agentVersion };
  const analysis = compile(parseNetworkPolicies([policy(egress)]), { semantics, source: SELECTED_BY_EVERY_POLICY });
  return podHazards(analysis, blocks).map(({ shape, pods, what }) => `${shape}: ${pods} ${what}`);
};

describe("port entries of pods by label", () => {
  it.each<[string, object[], number | undefined]>([
    ["24 of one peer", [to([peer(app("a"))], 24)], undefined],
    ["25 of one peer", [to([peer(app("a"))], 25)], 25],
    ["a range", [{ to: [peer(app("a"))], ports: [{ port: 1000, endPort: 1024 }] }], undefined],
    ["13 and 12 of one set of pods", [to([peer(app("a"))], 13), to([peer(app("a"))], 12, 2000)], 25],
    ["the same ports twice", [to([peer(app("a"))], 13), to([peer(app("a"))], 13)], undefined],
    ["13 and 12 of sets that share pods", [to([peer(app("a", "b"))], 13), to([peer(app("b", "c"))], 12, 2000)], 25],
    ["13 and 12 of a set and all pods", [to([peer(app("a"))], 13), to([{ namespaceSelector: {} }], 12, 2000)], 25],
    ["13 and 12 of sets without a common pod", [to([peer(app("a"))], 13), to([peer(app("b"))], 12, 2000)], undefined],
    ["13 and 12 in two namespaces", [to([peer(app("a"))], 13), to([peer(app("a"), "other")], 12, 2000)], undefined],
    [
      "13 and 12 of sets by unrelated labels",
      [to([peer(app("a"))], 13), to([peer({ matchLabels: { tier: "x" } })], 12, 2000)],
      undefined,
    ],
    ["12 in a block of 13", [to([peer(app("a"))], 12), block("10.0.0.0/8", { ports: ports(13, 2000) })], 25],
    [
      "12 in a block of 13 that excepts the VPC",
      [to([peer(app("a"))], 12), block("0.0.0.0/0", { except: ["10.0.0.0/8"], ports: ports(13, 2000) })],
      undefined,
    ],
    ["12 beside 13 to everywhere", [to([peer(app("a"))], 12), { ports: ports(13, 2000) }], 25],
    [
      "12 beside a block of 13",
      [to([peer(app("a"))], 12), block("10.1.0.0/24", { ports: ports(13, 2000) })],
      undefined,
    ],
    ["names beside numbers", [{ to: [peer(app("a"))], ports: [...ports(24), { port: "http" }] }], 25],
  ])("%s", (_, egress, count) => {
    expect(found(egress)).toEqual(
      count === undefined ? [] : [expect.stringMatching(new RegExp(`^slot-overflow: .* have ${count} port entries`))],
    );
  });
});

it("ports of a rule for everywhere take slots, wherever the pods are", () => {
  const rules = [to([peer(app("a"))], 12), { ports: ports(13, 2000) }];
  expect(found(rules, "1.4.2", [])).toEqual([expect.stringContaining("have 25 port entries")]);
});

describe("an agent before 1.2.4", () => {
  const internet = block("0.0.0.0/0", { except: ["10.0.0.0/8"] });

  it("opens the ports of the internet on pods by label", () => {
    expect(found([internet, to([peer(app("a"))], 1)], "1.2.3")).toEqual([
      "every-port-leak: pods app=a in namespace shop are reachable on the ports of 0.0.0.0/0 as well, whatever it excepts",
    ]);
  });

  it("does not without such a rule, without a peer by label, or later", () => {
    expect(found([to([peer(app("a"))], 1)], "1.2.3")).toEqual([]);
    expect(found([internet], "1.2.3")).toEqual([]);
    expect(found([internet, to([peer(app("a"))], 1)], "1.2.4")).toEqual([]);
  });
});
