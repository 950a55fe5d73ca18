import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { acknowledgement } from "../../ci/steps/acknowledgement.ts";

const here = process.cwd();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "runner-egress-acknowledge-"));
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true });
});

it.each([
  [
    "with a reason",
    "config: { runner-egress:acknowledge: { deployment-not-reviewed: two people merge } }",
    "two people merge",
  ],
  ["without a reason", 'config: { runner-egress:acknowledge: { deployment-not-reviewed: " " } }', undefined],
  ["that is no text", "config: { runner-egress:acknowledge: { deployment-not-reviewed: true } }", undefined],
  ["of something else", "config: { runner-egress:acknowledge: { agent-too-old: soon } }", undefined],
  ["in a file without config", "encryptionsalt: x", undefined],
  ["in an empty file", "", undefined],
])("an acknowledgement %s", (_, text, reason) => {
  writeFileSync("Pulumi.prod.yaml", text);
  expect(acknowledgement("prod", "deployment-not-reviewed")).toBe(reason);
  expect(acknowledgement("staging", "deployment-not-reviewed")).toBeUndefined();
});
