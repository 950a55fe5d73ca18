import { describe, expect, it } from "vitest";
import { fencedBlocks } from "../support/markdown.ts";
import { networkPolicy, type PackConfig, packConfig, runnerPolicy, runPack } from "../support/policyPack.ts";

const DOCUMENT = "docs/guardrails.md";
const configs = fencedBlocks(DOCUMENT, "json").map(({ text }) => JSON.parse(text) as PackConfig);

describe("the configs in docs/guardrails.md", () => {
  it("are there", () => {
    expect(configs.length).toBe(4);
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

  it("for staging passes the stack's own plan, and says for prod what the shipped file says", async () => {
    const [staging] = configs as [PackConfig];
    expect((await runPack([networkPolicy(runnerPolicy("staging"))], staging)).messages).toEqual({});
    const { endpoints, cluster, ...declaration } = JSON.parse(
      JSON.stringify(staging.declaration).replaceAll('"10.1.', '"10.0.'),
    );
    expect(packConfig("prod").declaration).toEqual({ ...declaration, cluster: { ipFamily: "ipv4" } });
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

it("the violation is what the pack says where two of the database subnets are not declared", async () => {
  const config = packConfig("staging");
  const { destinations } = config.declaration as { destinations: Record<string, object> };
  const database = { ...destinations.database, cidrs: ["10.1.100.0/24"] };
  const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {
    ...config,
    declaration: { ...(config.declaration as object), destinations: { ...destinations, database } },
  });
  const [block] = fencedBlocks(DOCUMENT, "text");
  const [, , ...lines] = block?.text.trim().split("\n") ?? [];
  const shown = lines.join(" ").replace(/ \.\.\.$/, "");
  expect(messages["private-reach"]?.map((message) => message.replaceAll(/\s+/g, " ").slice(0, shown.length))).toEqual([
    shown,
  ]);
});
