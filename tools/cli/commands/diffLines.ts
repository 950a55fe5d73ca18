import { countDiff, type DiffCounts, POLICY_PROTOCOLS, throwIfWrong } from "../../../analysis/index.ts";
import type { ExitCode } from "../../exitCodes.ts";
import { abortReasons } from "../aborts.ts";
import { answerLines } from "../answerLines.ts";
import { compileLine, lineFlags, readPolicies, readSetting } from "../input/policyLine.ts";
import type { SemanticsFlags } from "../options.ts";
import type { Json } from "../render/json.ts";
import type { Terminal } from "../terminal.ts";

const MEMBERS = ["id", "before", "after", "pod", "ipFamily", "nodeIp", "inventory"];

/**
 * Compares policy sets from stdin: `{id, before, after, pod?, ipFamily?, nodeIp?}` to `{id, gained, lost}`, line by line,
 * each with the exact number of (address, port) pairs by family and protocol, port 0 included.
 */
export async function diffLines(flags: SemanticsFlags, terminal: Terminal): Promise<ExitCode> {
  const settled = lineFlags(flags);
  return answerLines(
    MEMBERS,
    (line, problems) => {
      const setting = readSetting(line, problems, settled);
      const policies = { before: readPolicies(line.at("before")), after: readPolicies(line.at("after")) };
      throwIfWrong("Not a line to compare:", problems);
      const before = compileLine(policies.before, setting);
      const after = compileLine(policies.after, setting);
      const reasons = [
        ...abortReasons(before).map((reason) => `before: ${reason}`),
        ...abortReasons(after).map((reason) => `after: ${reason}`),
      ];
      if (reasons.length > 0) {
        return { aborts: true, reasons };
      }
      const { gained, lost } = countDiff(before, after, POLICY_PROTOCOLS);
      return { gained: countsJson(gained), lost: countsJson(lost) };
    },
    terminal,
  );
}

function countsJson({ ipv4, ipv6 }: DiffCounts): Json {
  const decimal = (counts: DiffCounts["ipv4"]): Json =>
    Object.fromEntries(POLICY_PROTOCOLS.map((protocol) => [protocol, String(counts[protocol] ?? 0n)]));
  return { ipv4: decimal(ipv4), ipv6: decimal(ipv6) };
}
