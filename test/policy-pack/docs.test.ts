import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { networkPolicy, type PackConfig, runnerPolicy, runPack, shippedConfig } from "../support/policyPack.ts";

const ROOT = new URL("../../", import.meta.url);
const text = readFileSync(new URL("docs/guardrails.md", ROOT), "utf8");
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^\\1\`\`\``, "gm"))].map(
    ([, , body = ""]) => body,
  );
const configs = blocks("json").map((body) => JSON.parse(body) as PackConfig);

describe("the configs in docs/guardrails.md", () => {
  it("are there", () => {
    expect(configs.length).toBe(4);
  });

  it.each(configs.map((config, index) => ({ index, config })))("number $index has no mistakes", async ({ config }) => {
    const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {
      ...shippedConfig("staging"),
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
    expect(shippedConfig("prod").declaration).toEqual({ ...declaration, cluster: { ipFamily: "ipv4" } });
  });

  it("for acknowledgements are matched with the plan: here there is nothing to acknowledge", async () => {
    const config = configs.find(({ widening }) => widening !== undefined);
    const { messages } = await runPack([networkPolicy(runnerPolicy("staging"))], {
      ...shippedConfig("staging"),
      ...config,
    });
    expect(Object.keys(messages)).toEqual(["protection", "widening"]);
  });
});

it("the commands name files that are there", () => {
  const files = blocks("sh").flatMap((body) =>
    [...body.matchAll(/--policy-pack(?:-config)? (\S+)/g)].map(([, file]) => file),
  );
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !existsSync(new URL(file ?? "", ROOT)))).toEqual([]);
});

it("every relative link leads somewhere", () => {
  const links = [...text.matchAll(/\]\((?!#)([^)#]+)/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => !existsSync(new URL(link, new URL("docs/", ROOT))))).toEqual([]);
});
