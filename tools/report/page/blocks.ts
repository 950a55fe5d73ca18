import { type Cidr, formatCidr } from "../../../analysis/index.ts";
import { namedBlocks } from "../blockTree.ts";
import { byId, element, limited } from "./dom.ts";
import type { AddressMap } from "./map.ts";
import { analysesOf, type State, type Store, tonesOf } from "./state.ts";
import { nameOfBlock, TONE_WORDS } from "./words.ts";

/** Blocks in the list before the reader asks for all. */
const MOST_BLOCKS = 24;

/** The named IPv4 blocks as buttons, each of which shows its block on the map. */
export function startBlocks(store: Store, map: AddressMap): void {
  store.follow((state) => {
    const blocks = namedBlocks("ipv4", analysesOf(state), state.model.names.blocks);
    byId("blocks").replaceChildren(...limited(blocks, MOST_BLOCKS, "li", (cidr) => button(cidr, state, map)));
  });
}

function button(cidr: Cidr, state: State, map: AddressMap): HTMLElement {
  const tones = tonesOf(cidr, state);
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", class: "block", onclick: () => map.show(cidr) },
      element("span", { class: "swatch", tone: tones[0] }),
      element("code", {}, formatCidr(cidr)),
      element("span", { class: "verdict" }, tones.map((tone) => TONE_WORDS[tone]).join(", ")),
      element("span", { class: "names" }, nameOfBlock(cidr, state.model.names.blocks)),
    ),
  );
}
