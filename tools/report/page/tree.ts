import { formatCidr } from "../../../analysis/index.ts";
import { type BlockNode, blockTree, ownAddress } from "../blockTree.ts";
import { describeRange } from "./describe.ts";
import { byId, element, limited } from "./dom.ts";
import { analysesOf, type State, type Store, shown, tonesOf } from "./state.ts";
import { nameOfBlock, TONE_WORDS } from "./words.ts";

/** Children of one block beyond this are shown on request. */
const MOST_CHILDREN = 60;

/** Draws the named IPv6 blocks as a tree; opening a block explains what holds in it apart from those inside. */
export function startTree(store: Store): void {
  const place = byId("tree");
  const note = byId("tree-note");
  store.follow((state) => {
    const open = new Set([...place.querySelectorAll("details[open]")].map((node) => node.getAttribute("data-cidr")));
    const root = blockTree("ipv6", analysesOf(state), state.model.names.blocks);
    place.replaceChildren(branch(root, state, 0, open));
    const { semantics } = shown(state).main;
    note.textContent =
      semantics.name === "vpc-cni" && semantics.ipFamily === "ipv4"
        ? "The cluster is IPv4: its pods have no IPv6 address, and the agent does not look at IPv6 packets."
        : "";
  });
}

function branch(node: BlockNode, state: State, depth: number, open: ReadonlySet<string | null>): HTMLElement {
  const text = formatCidr(node.cidr);
  const own = ownAddress(node);
  const outside = own === undefined ? undefined : { family: node.cidr.family, first: own, last: own };
  const [tone] = outside === undefined ? [] : tonesOf(outside, state);
  const body = element("div", { class: "branch" });
  const fill = () => {
    if (body.hasChildNodes()) {
      return;
    }
    if (outside !== undefined) {
      body.append(describeRange(node.children.length === 0 ? node.cidr : outside, state));
    }
    body.append(...limited(node.children, MOST_CHILDREN, "div", (child) => branch(child, state, depth + 1, open)));
  };
  const isOpen = open.size === 0 ? depth === 0 : open.has(text);
  const made = element(
    "details",
    { "data-cidr": text, open: isOpen },
    element(
      "summary",
      // Before it opens, by whatever means.
      { onclick: fill },
      element("span", { class: "swatch", tone }),
      element("code", {}, text),
      element(
        "span",
        { class: "names" },
        depth === 0 ? "all of IPv6" : nameOfBlock(node.cidr, state.model.names.blocks),
      ),
      element("span", { class: "verdict" }, tone === undefined ? "see the blocks inside" : TONE_WORDS[tone]),
    ),
    body,
  );
  if (isOpen) {
    fill();
  }
  return made;
}
