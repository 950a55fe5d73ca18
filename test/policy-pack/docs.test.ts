import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { fencedBlocks } from "../support/markdown.ts";
import { networkPolicy, type PackConfig, packConfig, runnerPolicy, runPack } from "../support/policyPack.ts";
import { projectWith } from "../support/projectWith.ts";

const DOCUMENT = "docs/guardrails.md";
const configs = fencedBlocks(DOCUMENT, "json").map(({ text }) => JSON.parse(text) as PackConfig);

describe("the configs in docs/guardrails.md", () => {
  it("are there", () => {
    expect(configs.length).toBe(3);
  });

  it.each(configs.map((config, index) => ({ index, config })))("number $index has no mistakes", async ({ config }) => {
    const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {
      ...packConfig("staging"),
      ...config,
    });
    expect(
      Object.values(messages)
        .flat()
        .filter((message) => message.startsWith("config: ")),
    ).toEqual([]);
  });

  it("for acknowledgements are matched with the plan: here there is nothing to acknowledge", async () => {
    const config = configs.find(({ widening }) => widening !== undefined);
    const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {
      ...packConfig("staging"),
      ...config,
    });
    expect(Object.keys(messages)).toEqual(["protection", "widening"]);
  });
});

it("the violation is what the pack says where two of the database subnets are not recorded", async () => {
  const facts = JSON.parse(readFileSync("facts/staging.json", "utf8"));
  facts.databaseSubnets = Object.fromEntries(Object.entries(facts.databaseSubnets).slice(0, 1));
  projectWith({ "facts/staging.json": JSON.stringify(facts) });
  const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {});
  const [block] = fencedBlocks(DOCUMENT, "text");
  const [, , ...lines] = block?.text.trim().split("\n") ?? [];
  const shown = lines.join(" ").replace(/ \.\.\.$/, "");
  expect(messages["private-reach"]?.map((message) => message.replaceAll(/\s+/g, " ").slice(0, shown.length))).toEqual([
    shown,
  ]);
});
