import type { PortGrant } from "./ports.ts";
import type { Verdict } from "./verdict.ts";

/** Protocol-and-port slots of one entry (`MAX_PORT_PROTOCOL` of the eBPF program, agent 1.0 to 1.4). */
export const PORT_SLOTS = 24;

/** The items of one entry. */
export interface SlotItems {
  /** Unique items; at most {@link PORT_SLOTS} of them fit, and which do is random. Empty for an entry that denies all. */
  readonly items: readonly PortGrant[];
  /**
   * For the `/0` entry of agents up to 1.2.3: the items as the rules list them, repetitions included, of which the first
   * {@link PORT_SLOTS} are kept; only the order of the rules is random.
   */
  readonly lists?: readonly (readonly PortGrant[])[];
}

/**
 * The verdict of one entry's slots for a packet that `matching` of its items match: certain where the items that do not
 * match cannot fill all slots.
 *
 * @param others Items besides `items` that match nothing. Default: none.
 */
export function slotVerdict({ items, lists }: SlotItems, matching: readonly PortGrant[], others = 0): Verdict {
  if (matching.length === 0) {
    return "deny";
  }
  if (lists === undefined) {
    return items.length + others - matching.length < PORT_SLOTS ? "allow" : "order-dependent";
  }
  const matched = new Set(matching.map(slotKey));
  const firsts = lists.map((list) => list.findIndex((item) => matched.has(slotKey(item))));
  const found = firsts.filter((first) => first >= 0);
  if (Math.min(...found) >= PORT_SLOTS) {
    return "deny";
  }
  // At worst all lists without a match come first, then the one whose match is last.
  const before = lists.reduce((sum, list, index) => sum + ((firsts[index] as number) < 0 ? list.length : 0), 0);
  return before + Math.max(...found) < PORT_SLOTS ? "allow" : "order-dependent";
}

/** What tells items apart to the agent: protocol, port and endPort; so 80 and 80-80 take a slot each. */
export function slotKey({ protocol, range, endPort }: PortGrant): string {
  return `${protocol} ${range.from} ${endPort ?? ""}`;
}
