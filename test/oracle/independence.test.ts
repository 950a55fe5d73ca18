import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

it("the oracles and generators import nothing that they judge", () => {
  const importing = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".ts"))
    .filter((name) => /from "\.\.\/\.\.\//.test(readFileSync(`${import.meta.dirname}/${name}`, "utf8")));
  expect(importing).toEqual(["engine.ts"]);
});
