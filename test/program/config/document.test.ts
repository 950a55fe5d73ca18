import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { readConfig } from "../../../program/config/readConfig.ts";
import { KEEPERHUB_CONTRACT } from "../../../runner/contract.ts";
import { TODAY } from "../../support/config.ts";
import { fencedBlocks } from "../../support/markdown.ts";

type Values = Readonly<Record<string, unknown>>;

const GOOD: Values = {
  "aws:region": "us-east-1",
  "runner-egress:cluster": { eks: "techops-staging" },
  "runner-egress:vpc": { name: "techops-staging" },
  "runner-egress:databaseSubnets": { subnetGroup: "techops-staging-db" },
};

const blocks = fencedBlocks("docs/config.md", "yaml").map(({ text }) => text);
const isFile = (text: string) => text.startsWith("# Pulumi.");

/** The keys of a block, each in YAML of its own, because a block may show several values for one key. */
const entries = blocks
  .filter((text) => !isFile(text))
  .flatMap((text) => text.split(/^(?=\S)/m))
  .map((text) => load(text) as Values);

function read(values: Values) {
  const texts = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return readConfig({ project: "runner-egress", stack: "staging", values: Object.fromEntries(texts), today: TODAY });
}

describe("the blocks of docs/config.md", () => {
  it("show the stacks' files as they are", () => {
    const files = blocks.filter(isFile);
    expect(files).toHaveLength(2);
    for (const text of files) {
      const [, file = ""] = /^# (\S+)\n/.exec(text) ?? [];
      expect(load(text)).toEqual(load(readFileSync(file, "utf8")));
    }
  });

  it.each(entries.map((entry) => ({ text: JSON.stringify(entry), entry })))("are accepted: $text", ({ entry }) => {
    expect(Object.keys(entry)).toHaveLength(1);
    expect(() => read({ ...GOOD, ...entry })).not.toThrow();
  });

  it("show each key of a stack with its name, and say the defaults that hold", () => {
    expect(entries.length).toBeGreaterThan(12);
    const defaults = entries.filter((entry) =>
      ["policyName:", "executor:"].some((member) => JSON.stringify(entry).replaceAll('"', "").includes(member)),
    );
    expect(defaults).toHaveLength(2);
    for (const entry of defaults) {
      expect(read({ ...GOOD, ...entry }).contract).toEqual(KEEPERHUB_CONTRACT);
    }
  });
});
