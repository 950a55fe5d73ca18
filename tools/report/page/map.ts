import { cidrAt, wholeFamily } from "../../../analysis/cidr.ts";
import { type AddressRange, type Cidr, formatCidr, namesIn, overlaps } from "../../../analysis/index.ts";
import { hilbertCell, hilbertIndex } from "../hilbert.ts";
import { paintTones, type Tone, tonesIn } from "../tones.ts";
import { describeRange } from "./describe.ts";
import { byId, element } from "./dom.ts";
import { colour, paintPicture } from "./mapPicture.ts";
import { runsOf, type State, type Store } from "./state.ts";
import { TONE_WORDS } from "./words.ts";

/** Cells along an edge of the map; 256 × 256 cells are /16s when all of IPv4 is shown. */
const SIDE = 256;
/** A click shows one of 16 parts. */
const ZOOM_BITS = 4;
/** A block that is shown fills at least this part of the map, as a power of two: 1/1024. */
const SHOWN_BITS = 10;
/** The view of the most detail: 256 addresses. */
const DEEPEST = 24;

/** The map of the IPv4 addresses: a Hilbert curve, so that blocks are squares and neighbours stay neighbours. */
export class AddressMap {
  private readonly canvas = byId("map") as HTMLCanvasElement;
  private readonly detail = byId("map-detail");
  private readonly crumbs = byId("map-crumbs");
  /** The view without any frame; moving the cursor only puts frames on a copy. */
  private readonly picture = document.createElement("canvas");
  private readonly store: Store;
  private view: Cidr = wholeFamily("ipv4");
  private cursor = 0;
  private marked: AddressRange | undefined;
  private bits: Uint8Array = new Uint8Array();

  constructor(store: Store) {
    this.store = store;
    this.picture.width = this.canvas.width;
    this.picture.height = this.canvas.height;
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("click", (event) => {
      this.point(event);
      this.zoomTo(this.view.prefixLength + ZOOM_BITS);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    store.follow(() => this.redraw());
  }

  /** Colours come from the style sheet, so another theme is another picture. */
  redraw(): void {
    const cells = this.side ** 2;
    this.bits = paintTones(runsOf(this.view, this.store.state), this.view, cells);
    this.cursor = Math.min(this.cursor, cells - 1);
    paintPicture(this.picture, { view: this.view, side: this.side, bits: this.bits }, this.canvas.clientWidth);
    this.paint();
    this.showCrumbs();
    this.showDetail();
  }

  /** Shows a block: the view that contains it with some of its surroundings, and a frame around it. */
  show(range: AddressRange): void {
    this.marked = range;
    const wanted = 32 - Math.ceil(Math.log2(Number(range.last - range.first + 1n))) - SHOWN_BITS;
    const prefixLength = Math.min(DEEPEST, Math.max(0, Math.ceil(wanted / ZOOM_BITS) * ZOOM_BITS));
    this.view = cidrAt("ipv4", range.first, prefixLength);
    this.cursor = Number((range.first - this.view.first) / this.perCell);
    this.redraw();
  }

  private get side(): number {
    return 2 ** Math.min(Math.log2(SIDE), (32 - this.view.prefixLength) / 2);
  }

  private get perCell(): bigint {
    return (this.view.last - this.view.first + 1n) / BigInt(this.side ** 2);
  }

  private get cursorRange(): AddressRange {
    const first = this.view.first + BigInt(this.cursor) * this.perCell;
    return { family: "ipv4", first, last: first + this.perCell - 1n };
  }

  private point(event: MouseEvent): void {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const at = (offset: number, size: number) =>
      Math.min(this.side - 1, Math.max(0, Math.floor((offset / size) * this.side)));
    this.moveTo({ x: at(event.clientX - left, width), y: at(event.clientY - top, height) });
  }

  private moveTo(cell: { x: number; y: number }): void {
    const index = hilbertIndex(this.side, cell);
    if (index !== this.cursor) {
      this.cursor = index;
      this.paint();
      this.showDetail();
    }
  }

  private key(event: KeyboardEvent): void {
    const { x, y } = hilbertCell(this.side, this.cursor);
    const step = event.shiftKey ? Math.max(1, this.side / 16) : 1;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [-step, 0],
      ArrowRight: [step, 0],
      ArrowUp: [0, -step],
      ArrowDown: [0, step],
    };
    const move = moves[event.key];
    const clamp = (value: number) => Math.min(this.side - 1, Math.max(0, value));
    if (move !== undefined) {
      this.moveTo({ x: clamp(x + move[0]), y: clamp(y + move[1]) });
    } else if (event.key === "Enter" || event.key === "+") {
      this.zoomTo(this.view.prefixLength + ZOOM_BITS);
    } else if (event.key === "-" || event.key === "Backspace") {
      this.zoomTo(this.view.prefixLength - ZOOM_BITS);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Shows the block around the cursor with a prefix length, as far in and out as there are views. */
  private zoomTo(prefixLength: number): void {
    const { first } = this.cursorRange;
    this.view = cidrAt("ipv4", first, Math.min(DEEPEST, Math.max(0, prefixLength)));
    this.cursor = Number((first - this.view.first) / this.perCell);
    this.redraw();
  }

  private paint(): void {
    const context = this.canvas.getContext("2d");
    if (context === null) {
      return;
    }
    context.drawImage(this.picture, 0, 0);
    if (this.marked !== undefined && overlaps(this.marked, this.view)) {
      this.frame(context, this.marked, "mark", 4);
    }
    this.frame(context, this.cursorRange, "cursor", 3);
  }

  /** A frame around the cells of a block: a square of them, or two side by side. */
  private frame(context: CanvasRenderingContext2D, range: AddressRange, name: string, line: number): void {
    const size = this.canvas.width / this.side;
    const cell = (address: bigint) => Number((address - this.view.first) / this.perCell);
    const first = Math.max(0, cell(range.first));
    const last = Math.min(this.side ** 2 - 1, cell(range.last));
    const corners = { left: Infinity, top: Infinity, right: 0, bottom: 0 };
    for (let index = first; index <= last; index++) {
      const { x, y } = hilbertCell(this.side, index);
      corners.left = Math.min(corners.left, x);
      corners.top = Math.min(corners.top, y);
      corners.right = Math.max(corners.right, x + 1);
      corners.bottom = Math.max(corners.bottom, y + 1);
    }
    const { left, top, right, bottom } = corners;
    context.strokeStyle = colour(name);
    context.lineWidth = line;
    context.strokeRect(
      left * size - line / 2,
      top * size - line / 2,
      (right - left) * size + line,
      (bottom - top) * size + line,
    );
  }

  private showCrumbs(): void {
    const parts: HTMLElement[] = [];
    for (let prefixLength = 0; prefixLength <= this.view.prefixLength; prefixLength += ZOOM_BITS) {
      const text = formatCidr(cidrAt("ipv4", this.view.first, prefixLength));
      parts.push(
        prefixLength === this.view.prefixLength
          ? element("span", { "aria-current": "true" }, text)
          : element("button", { type: "button", class: "quiet crumb", onclick: () => this.zoomTo(prefixLength) }, text),
      );
    }
    this.crumbs.replaceChildren(...parts);
  }

  private showDetail(): void {
    this.detail.replaceChildren(describeRange(this.cursorRange, this.store.state));
    const tones = tonesIn(this.bits[this.cursor] ?? 0).map((tone) => TONE_WORDS[tone]);
    const block = formatCidr(cidrAt("ipv4", this.cursorRange.first, 32 - Math.log2(Number(this.perCell))));
    const names = namesIn(this.cursorRange, this.store.state.model.names.blocks).slice(0, 1).join();
    this.canvas.setAttribute("aria-label", `Map of IPv4. ${block}, ${names}: ${tones.join(" and ")}`);
  }
}

/** The state's side decides which tones can occur; the legend shows those. */
export function showLegend({ side }: State): void {
  const tones: readonly Tone[] =
    side === "change"
      ? ["gained", "lost", "narrowed", "both", "open", "ports", "closed", "random"]
      : ["open", "ports", "closed", "random"];
  byId("legend").replaceChildren(
    ...tones.map((tone) => element("li", {}, element("span", { class: "swatch", tone }), TONE_WORDS[tone])),
  );
}
