import { type DiffBox, type Explanation, formatCidr, type Reference } from "../analysis/index.ts";
import { code, joinPhrases, type Phrase } from "./phrase.ts";

/** Why a box is open or closed after a change and was not before: the rules and `except`s, each with its place. */
export function blame({ explanations: { before, after } }: Pick<DiffBox, "explanations">): Phrase {
  return joinPhrases([outcome("now", after), outcome("was", before)], "; ");
}

/**
 * The same for pods chosen by labels.
 *
 * @param granting the rules that select them on the side that allows
 */
export function podsBlame(isGain: boolean, isRestricted: boolean, granting: readonly Reference[]): Phrase {
  if (!isRestricted || granting.length === 0) {
    return [isGain ? "now allowed: no policy restricts the pods" : "was allowed: no policy restricted the pods"];
  }
  return [isGain ? "now allowed by " : "was allowed by ", ...references(granting)];
}

function outcome(is: "now" | "was", explanation: Explanation): Phrase {
  const { verdict, reason, allowedBy, exceptedBy } = explanation;
  switch (reason) {
    case "rule":
      return [`${is} allowed by `, ...references(allowedBy)];
    case "except":
      return [`${is} denied by `, ...references(exceptedBy)];
    case "not-isolated":
      return [`${is} allowed: no policy ${is === "now" ? "restricts" : "restricted"} the pods`];
    case "no-rule":
      return [`${is} denied: no rule ${is === "now" ? "reaches" : "reached"} it`];
    case "port":
      return [`${is} denied: the rules that ${is === "now" ? "reach it do" : "reached it did"} not allow the port`];
    case "node-address":
      return [`${is} allowed: the agent always allows the pod's node`];
    case "other-family":
      return [`${is} allowed: the agent enforces only the cluster's own address family`];
    case "icmpv6":
      return [`${is} allowed: the agent lets ICMPv6 pass`];
    case "slot-overflow":
      return [`${is} ${atRandom(verdict)}: more port entries than the agent keeps for one block`];
    case "key-collision":
      return [`${is} ${atRandom(verdict)}: two entries of the agent share a key`];
    case "aborted":
      return [
        `${is} ${atRandom(verdict)}: the agent can't load the policy (an except of the other family, beyond /32)`,
      ];
  }
}

function atRandom(verdict: Explanation["verdict"]): string {
  return verdict === "order-dependent" ? "allowed or denied at random" : verdict === "allow" ? "allowed" : "denied";
}

const MOST_REFERENCES = 3;

function references(list: readonly Reference[]): Phrase {
  const shown = list
    .slice(0, MOST_REFERENCES)
    .map(
      ({ rule, policy, what, path, through }): Phrase => [
        `rule ${rule} of `,
        code(policy),
        " (",
        code(what),
        ", ",
        code(path),
        ...(through === undefined ? [] : [", passed on by the agent's entry for ", code(formatCidr(through))]),
        ")",
      ],
    );
  const rest = list.length - shown.length;
  return [...joinPhrases(shown, " and "), ...(rest > 0 ? [` and ${rest} more`] : [])];
}
