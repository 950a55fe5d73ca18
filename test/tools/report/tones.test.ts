import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compile,
  type EgressAnalysis,
  parseCidr,
  parseNetworkPolicies,
  SELECTED_BY_EVERY_POLICY,
  verdict,
} from "../../../analysis/index.ts";
import { type BlockNode, blockTree, ownAddress } from "../../../tools/report/blockTree.ts";
import { type PortFilter, paintTones, stretchesIn, type Tone, toneMap, tonesIn } from "../../../tools/report/tones.ts";
import { block, policy } from "../review/previews.ts";

const analysis = (egress: readonly unknown[]) =>
  compile(parseNetworkPolicies([policy(egress)]), {
    semantics: { name: "kubernetes" },
    source: SELECTED_BY_EVERY_POLICY,
  });
const tonesOf = (cidr: string, after: readonly unknown[], before?: readonly unknown[], filter?: PortFilter): Tone[] =>
  runs(cidr, analysis(after), before && analysis(before), filter).map(({ value }) => value);
const runs = (cidr: string, after: EgressAnalysis, before?: EgressAnalysis, filter?: PortFilter) =>
  stretchesIn(toneMap(after.partitions.ipv4, before?.partitions.ipv4, filter), parseCidr(cidr));

const WEB = [{ port: 443 }];

describe("tones", () => {
  it.each<readonly [string, string, readonly unknown[], readonly unknown[] | undefined, PortFilter, readonly Tone[]]>([
    ["all ports", "10.0.0.0/8", [block("10.0.0.0/8")], undefined, undefined, ["open"]],
    ["no port", "10.0.0.0/8", [block("11.0.0.0/8")], undefined, undefined, ["closed"]],
    ["some ports", "10.0.0.0/8", [block("10.0.0.0/8", [], WEB)], undefined, undefined, ["ports"]],
    [
      "the asked port",
      "10.0.0.0/8",
      [block("10.0.0.0/8", [], WEB)],
      undefined,
      { protocol: "TCP", port: 443 },
      ["open"],
    ],
    [
      "another port",
      "10.0.0.0/8",
      [block("10.0.0.0/8", [], WEB)],
      undefined,
      { protocol: "UDP", port: 443 },
      ["closed"],
    ],
    ["a hole", "10.0.0.0/8", [block("10.0.0.0/8", ["10.1.0.0/16"])], undefined, undefined, ["open", "closed", "open"]],
    ["opened", "10.0.0.0/8", [block("10.0.0.0/8")], [], undefined, ["gained"]],
    ["closed again", "10.0.0.0/8", [], [block("10.0.0.0/8")], undefined, ["lost"]],
    [
      "one port for another",
      "10.0.0.0/8",
      [block("10.0.0.0/8", [], WEB)],
      [block("10.0.0.0/8", [], [{ port: 80 }])],
      undefined,
      ["both"],
    ],
    [
      "a change elsewhere",
      "10.0.0.0/8",
      [block("10.0.0.0/8"), block("12.0.0.0/8")],
      [block("10.0.0.0/8")],
      undefined,
      ["open"],
    ],
    [
      "a change of another port",
      "10.0.0.0/8",
      [block("10.0.0.0/8", [], WEB)],
      [],
      { protocol: "TCP", port: 80 },
      ["closed"],
    ],
  ])("%s", (_, cidr, after, before, filter, tones) => {
    expect(tonesOf(cidr, after, before, filter)).toEqual(tones);
  });

  it("say of every address what its verdict is", () => {
    const rules = [block("0.0.0.0/0", ["10.0.0.0/8", "172.16.0.0/12"], WEB), block("10.1.0.0/16")];
    const compiled = analysis(rules);
    const filter = { protocol: "TCP", port: 443 } as const;
    const all = runs("0.0.0.0/0", compiled, undefined, filter);
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }), (value) => {
        const run = all.find(({ range }) => range.first <= value && value <= range.last);
        const expected = verdict(compiled, { address: { family: "ipv4", value }, ...filter });
        expect(run?.value).toBe(expected === "allow" ? "open" : "closed");
      }),
    );
  });

  it("paint each cell with all that it holds, what matters most first", () => {
    const range = parseCidr("10.0.0.0/8");
    const after = analysis([block("10.0.0.0/9"), block("10.255.255.0/24", [], WEB)]);
    const painted = paintTones(runs("10.0.0.0/8", after, analysis([block("10.0.0.0/9")])), range, 4);
    expect([...painted].map(tonesIn)).toEqual([["open"], ["open"], ["closed"], ["gained", "closed"]]);
  });
});

describe("the tree of blocks", () => {
  const texts = ({ cidr, children }: BlockNode): unknown => [cidr.prefixLength, children.map(texts)];
  const tree = (rules: readonly unknown[], cidr: string) => {
    const find = (node: BlockNode): BlockNode | undefined =>
      node.cidr.first === parseCidr(cidr).first && node.cidr.prefixLength === parseCidr(cidr).prefixLength
        ? node
        : node.children.map(find).find((found) => found !== undefined);
    return find(blockTree("ipv6", [analysis(rules)], [{ cidr: parseCidr("fd00:1::/32"), name: "VPC" }]));
  };

  it("nests policies, names and registries", () => {
    const node = tree([block("fd00::/8", ["fd00:1:2::/48"])], "fc00::/7");
    expect(node && texts(node)).toEqual([7, [[8, [[32, [[48, []]]]]]]]);
  });

  it("knows an address of a block outside those inside it", () => {
    const node = tree([block("fd00::/8")], "fc00::/7");
    expect(node && ownAddress(node)).toBe(parseCidr("fc00::/7").first);
    const halves = [block("fd00::/9"), block("fd80::/9"), block("fd00::/8")];
    const covered = tree(halves, "fd00::/8");
    expect(covered && ownAddress(covered)).toBeUndefined();
  });
});
