import { describe, expect, it } from "vitest";
import { type Edited, IPV6_MUTANTS, MUTANTS } from "../policy-pack/mutants.ts";
import { ipv6Plan, networkPolicy, type Plain, packConfig, runnerPolicy, runPack } from "../support/policyPack.ts";

/** What a fix tells to change in the except of a peer, such as `add 10.0.0.0/8 to the except of 0.0.0.0/0 (spec.egress[4].to[0] of NS/NAME)`. */
const EDIT =
  /\b(add|drop) ([0-9a-f.:/, ]+?) (?:to|from) the except of \S+ \(spec\.egress\[(\d+)\]\.to\[(\d+)\] of [^/]+\/([^)]+)\)/g;

async function judge({ policy, options, others, config }: Edited) {
  return runPack([networkPolicy(policy, options), ...others], config);
}

/** Does what the fixes of a plan tell, each once. */
function repaired({ policy, others }: Edited, fixes: readonly string[]): number {
  const edits = [...new Map(fixes.flatMap((fix) => [...fix.matchAll(EDIT)]).map((edit) => [edit[0], edit])).values()];
  for (const [, action, blocks = "", rule, peer, name] of edits) {
    const all: Plain[] = [policy, ...others.map(({ props }) => props)];
    const { ipBlock } = all.find(({ metadata }) => metadata?.name === name).spec.egress[Number(rule)].to[Number(peer)];
    const named = blocks.split(", ");
    const kept = (ipBlock.except ?? []).filter((block: string) => !named.includes(block));
    ipBlock.except = action === "drop" ? kept : [...kept, ...named];
  }
  return edits.length;
}

describe.each([
  ["IPv4", MUTANTS, () => ({ policy: runnerPolicy("staging"), config: packConfig("staging") })],
  ["IPv6", IPV6_MUTANTS, ipv6Plan],
] as const)("what is told about the excepts of a plan of %s", (_, mutants, good) => {
  const cases = mutants.map((mutant) => [mutant.name, mutant] as const);

  it.each(cases)("makes nothing worse, and settles an except that is dropped: %s", async (name, { edit }) => {
    const plan: Edited = { ...good(), rules: [], options: {}, others: [] };
    plan.rules = plan.policy.spec.egress;
    edit(plan);
    const before = await judge(plan);
    const fixes = Object.values(before.messages)
      .flat()
      .map((message) => message.split("\nFix: ")[1] ?? "");
    // An except that is dropped can always be put back, and then nothing is left to say.
    const isDropped = name.endsWith("is dropped");
    if (repaired(plan, fixes) === 0) {
      expect(isDropped).toBe(false);
      return;
    }
    const after = await judge(plan);
    expect(before.fired).toEqual(expect.arrayContaining([...after.fired]));
    const count = ({ messages }: typeof after) => Object.values(messages).flat().length;
    expect(count(after)).toBeLessThan(count(before));
    expect(isDropped ? after.messages : {}).toEqual({});
  });
});

it("proposes no except to drop that alone keeps other ports closed", async () => {
  const config = packConfig("staging");
  Object.assign(config.declaration?.destinations ?? {}, { wide: { cidrs: ["10.0.0.0/11"], ports: ["443/TCP"] } });
  const policy = runnerPolicy("staging");
  const rules: Plain[] = policy.spec.egress;
  const internet = rules.find(({ to }) => to[0].ipBlock?.cidr === "0.0.0.0/0")?.to[0].ipBlock;
  // 10.0.0.0/8 in two halves and a bit: the first lies in the wide block, and the agent takes it out of that as well.
  const halves = ["10.0.0.0/12", "10.16.0.0/12", "10.32.0.0/11", "10.64.0.0/10", "10.128.0.0/9"];
  internet.except = internet.except.flatMap((block: string) => (block === "10.0.0.0/8" ? halves : [block]));
  rules.push({ to: [{ ipBlock: { cidr: "10.0.0.0/11" } }], ports: [{ protocol: "TCP", port: 443 }] });
  const { messages } = await judge({ policy, rules, options: {}, others: [], config } as Edited);
  const said = Object.values(messages).flat();
  expect(said.join("\n")).toContain("except-of-another-rule");
  expect(said.flatMap((message) => [...message.matchAll(EDIT)])).toEqual([]);
});
