import { describe, expect, it } from "vitest";
import { agentOf } from "../../../program/lookups/agentVersions.ts";

describe("agentOf", () => {
  it.each([
    ["v1.20.0-eksbuild.1", "1.2.3", true],
    ["v1.20.1-eksbuild.2", "1.2.4", true],
    ["1.21.1", "1.3.1", true],
    ["v1.21.2-eksbuild.1", "1.3.5", true],
    // The newer CNI carries the older agent.
    ["v1.22.0-eksbuild.1", "1.3.1", true],
    ["v1.23.0-eksbuild.1", "1.4.1", true],
    ["v1.23.1-eksbuild.1", "1.4.1", false],
    ["v1.100.0-eksbuild.1", "1.4.1", false],
    ["v1.23.10-eksbuild.1", "1.4.1", false],
    ["v2.0.0", "1.4.1", false],
  ])("%s carries %s (exactly: %s)", (addOnVersion, version, isExact) => {
    expect(agentOf(addOnVersion)).toEqual({ version, isExact });
  });

  it.each(["v1.17.1-eksbuild.1", "v1.20.9-eksbuild.1", "v1.13.0", "latest", "", "v1.21", "v1.21.1.2", "x1.21.1"])(
    "what %j carries is not known",
    (addOnVersion) => {
      expect(agentOf(addOnVersion)).toBeUndefined();
    },
  );
});
