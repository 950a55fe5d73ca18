import { compareRanges } from "../../../analysis/cidr.ts";
import { type AddressRange, type Cidr, cidrKey, formatCidr } from "../../../analysis/index.ts";
import { specialPurposeBlocksIn } from "../../../analysis/specialPurpose.ts";
import { TONES, toneRuns } from "../tones.ts";
import { byId, element } from "./dom.ts";
import type { AddressMap } from "./map.ts";
import { type State, type Store, shown } from "./state.ts";
import { nameOfBlock, TONE_WORDS } from "./words.ts";

/** Blocks in the list before the reader asks for all. */
const MOST_BLOCKS = 24;

/** The named IPv4 blocks as buttons, each of which shows its block on the map. */
export function startBlocks(store: Store, map: AddressMap): void {
  const place = byId("blocks");
  let isWhole = false;
  store.follow((state) => draw(state));
  function draw(state: State): void {
    const blocks = namedBlocks(state);
    const visible = isWhole ? blocks : blocks.slice(0, MOST_BLOCKS);
    const hidden = blocks.length - visible.length;
    place.replaceChildren(
      ...visible.map((cidr) => button(cidr, state, map)),
      ...(hidden > 0
        ? [
            element(
              "li",
              {},
              element("button", { type: "button", class: "quiet", onclick: more }, `${hidden} more blocks`),
            ),
          ]
        : []),
    );
  }
  function more(): void {
    isWhole = true;
    draw(store.state);
  }
}

/** The caller's blocks first, then those of the policies, then the registries'. */
function namedBlocks(state: State): Cidr[] {
  const { main, compared } = shown(state);
  const own = state.model.names.map(({ cidr }) => cidr).sort(compareRanges);
  const written = [main, ...(compared === undefined ? [] : [compared])]
    .flatMap(({ policies, applying }) => applying.flatMap((index) => policies[index]?.egress ?? []))
    .flatMap(({ to }) => to ?? [])
    .flatMap((peer) => (peer.kind === "ipBlock" ? [peer.cidr, ...peer.excepts] : []))
    .sort(compareRanges);
  const registry = specialPurposeBlocksIn({ family: "ipv4", first: 0n, last: (1n << 32n) - 1n }).map(
    ({ cidr }) => cidr,
  );
  const all = [...own, ...written, ...registry].filter(
    ({ family, prefixLength }) => family === "ipv4" && prefixLength > 0,
  );
  return [...new Map(all.map((cidr) => [cidrKey(cidr), cidr])).values()];
}

function button(cidr: Cidr, state: State, map: AddressMap): HTMLElement {
  const { main, compared } = shown(state);
  const runs = toneRuns(cidr, main.partitions.ipv4, compared?.partitions.ipv4, state.filter);
  const tones = TONES.filter((tone) => runs.some((run) => run.tone === tone));
  const show = () => map.show(cidr satisfies AddressRange);
  return element(
    "li",
    {},
    element(
      "button",
      { type: "button", class: "block", onclick: show },
      element("span", { class: `swatch ${tones[0] ?? "closed"}` }),
      element("code", {}, formatCidr(cidr)),
      element("span", { class: "verdict" }, tones.map((tone) => TONE_WORDS[tone]).join(", ")),
      element("span", { class: "names" }, nameOfBlock(cidr, state.model.names)),
    ),
  );
}
