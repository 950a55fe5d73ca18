import { type DiffBox, type Explanation, formatCidr, type Reference } from "../../analysis/index.ts";
import { code, joinPhrases, type Phrase } from "./phrase.ts";

/** Why a box is open or closed after a change and was not before: the rules and `except`s, each with its place. */
export function blame({ explanations: { before, after } }: Pick<DiffBox, "explanations">): Phrase {
  return joinPhrases([outcome("after", after), outcome("before", before)], "; ");
}

/**
 * The same for pods chosen by labels.
 *
 * @param granting the rules that select them on the side that allows
 */
export function podsBlame(isGain: boolean, isRestricted: boolean, granting: readonly Reference[]): Phrase {
  if (!isRestricted || granting.length === 0) {
    return [`${isGain ? "after" : "before"}: allowed, because no policy restricts the pods`];
  }
  return [`${isGain ? "after" : "before"}: allowed by `, ...references(granting)];
}

function outcome(side: "before" | "after", explanation: Explanation): Phrase {
  const { verdict, reason, allowedBy, exceptedBy } = explanation;
  switch (reason) {
    case "rule":
      return [`${side}: allowed by `, ...references(allowedBy)];
    case "service":
      return verdict === "allow"
        ? [`${side}: allowed at the Service's backends by `, ...references(allowedBy)]
        : [`${side}: denied at the Service's backends`];
    case "pods-left-to-selectors":
      return [`${side}: denied, because blocks don't match pods`];
    case "except":
      return [`${side}: denied by `, ...references(exceptedBy)];
    case "not-isolated":
      return [`${side}: allowed, because no policy restricts the pods`];
    case "no-rule":
      return [`${side}: denied, because no rule reaches it`];
    case "port":
      return [`${side}: denied, because the rules that reach it do not allow the port`];
    case "node-address":
      return [`${side}: allowed, because the agent always allows the pod's node`];
    case "other-family":
      return [`${side}: allowed, because the agent enforces only the cluster's own address family`];
    case "icmpv6":
      return [`${side}: allowed, because the agent lets ICMPv6 pass`];
    case "slot-overflow":
      return [`${side}: ${atRandom(verdict)}, because there are more port entries than the agent keeps for one block`];
    case "key-collision":
      return [`${side}: ${atRandom(verdict)}, because two entries of the agent share a key`];
    case "aborted":
      return [
        `${side}: ${atRandom(verdict)}, because the agent can't load the policy (an except of the other family, beyond /32)`,
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
      ({ policy, what, path, through }): Phrase => [
        code(what),
        " at ",
        code(path),
        " of ",
        code(policy),
        ...(through === undefined ? [] : [", passed on by the agent's entry for ", code(formatCidr(through))]),
      ],
    );
  const rest = list.length - shown.length;
  return [...joinPhrases(shown, " and "), ...(rest > 0 ? [` and ${rest} more`] : [])];
}
