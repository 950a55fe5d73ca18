import { compile, countDiff, POLICY_PROTOCOLS } from "../../../analysis/index.ts";
import { abortReasons } from "../aborts.ts";
import type { LineKind } from "../answerLines.ts";
import { readPolicies } from "../answerLines.ts";
import { countsJson } from "../render/json.ts";

/**
 * Compares policy sets from stdin: `{id, before, after, pod?, ipFamily?, nodeIp?}` to `{id, gained, lost}`, line by line,
 * each with the exact number of (address, port) pairs by family and protocol, port 0 included.
 */
export const COMPARISON: LineKind = {
  members: ["before", "after"],
  notOne: "Not a line to compare:",
  read: (line, setting) => {
    const policies = { before: readPolicies(line.at("before")), after: readPolicies(line.at("after")) };
    return () => {
      const before = compile(policies.before, setting);
      const after = compile(policies.after, setting);
      const reasons = [
        ...abortReasons(before).map((reason) => `before: ${reason}`),
        ...abortReasons(after).map((reason) => `after: ${reason}`),
      ];
      const { gained, lost } = countDiff(before, after, POLICY_PROTOCOLS);
      return reasons.length > 0
        ? { aborts: true, reasons }
        : { gained: countsJson(gained, POLICY_PROTOCOLS), lost: countsJson(lost, POLICY_PROTOCOLS) };
    };
  },
};
