import { cidrAt } from "../../../analysis/cidr.ts";
import { type Cidr, formatCidr } from "../../../analysis/index.ts";
import { hilbertCell } from "../hilbert.ts";
import { TONES, type Tone, tonesIn } from "../tones.ts";
import { byId } from "./dom.ts";

/** Cells as a bit set of tones each, in the order of the curve. */
export interface Picture {
  readonly view: Cidr;
  readonly side: number;
  readonly bits: Uint8Array;
}

/** A colour of the style sheet as the present theme has it. */
export function colour(name: string): string {
  const map = byId("map");
  map.style.color = `var(--${name})`;
  return getComputedStyle(map).color;
}

/**
 * Paints the whole picture onto a square canvas.
 *
 * @param shownWidth how wide the canvas is shown, in CSS pixels, so that labels can be read on a phone
 */
export function paintPicture(canvas: HTMLCanvasElement, picture: Picture, shownWidth: number): void {
  const context = canvas.getContext("2d");
  if (context === null) {
    return;
  }
  paintCells(context, canvas.width, picture);
  paintGrid(context, canvas.width, picture.view, canvas.width / shownWidth);
  paintRings(context, canvas.width, picture);
}

/** Each square of equal cells in its first tone, and a corner of it in the second one where it has two. */
function paintCells(context: CanvasRenderingContext2D, width: number, { side, bits }: Picture): void {
  const colours = new Map(TONES.map((tone) => [tone, colour(tone)]));
  const fill = (tone: Tone, x: number, y: number, edge: number) => {
    context.fillStyle = colours.get(tone) ?? "";
    context.fillRect(x, y, edge, edge);
  };
  // A quarter of the curve is a quarter of the square.
  const paint = (first: number, cells: number) => {
    const set = bits[first] ?? 0;
    if (!bits.subarray(first, first + cells).every((other) => other === set)) {
      for (let quarter = first; quarter < first + cells; quarter += cells / 4) {
        paint(quarter, cells / 4);
      }
      return;
    }
    const edge = Math.sqrt(cells) * (width / side);
    const cell = hilbertCell(side, first);
    const [left, top] = [cell.x, cell.y].map((at) => Math.floor((at * width) / side / edge) * edge) as [number, number];
    const [tone = "closed", second] = tonesIn(set);
    fill(tone, left, top, edge);
    if (second !== undefined) {
      fill(second, left + edge / 2, top + edge / 2, edge / 2);
    }
  };
  paint(0, bits.length);
}

/** Height of a label as shown, and width of a letter in parts of its height. */
const LABEL_PIXELS = 12.5;
const GLYPH_WIDTH = 0.62;

/** Lines between the 16 parts of the view, each with its block. */
function paintGrid(context: CanvasRenderingContext2D, width: number, view: Cidr, scale: number): void {
  const part = width / 4;
  context.strokeStyle = colour("grid");
  context.lineWidth = 1;
  context.beginPath();
  for (const line of [1, 2, 3]) {
    context.moveTo(line * part, 0);
    context.lineTo(line * part, width);
    context.moveTo(0, line * part);
    context.lineTo(width, line * part);
  }
  context.stroke();
  const each = (view.last - view.first + 1n) / 16n;
  const labels = Array.from({ length: 16 }, (_, index) =>
    formatCidr(cidrAt("ipv4", view.first + BigInt(index) * each, view.prefixLength + 4)),
  );
  const longest = Math.max(...labels.map(({ length }) => length));
  const size = Math.min(LABEL_PIXELS * scale, (part - 18) / (longest * GLYPH_WIDTH));
  context.font = `600 ${Math.round(size)}px ui-monospace, Menlo, Consolas, monospace`;
  context.textBaseline = "top";
  context.lineWidth = 5;
  context.lineJoin = "round";
  context.strokeStyle = colour("halo");
  context.fillStyle = colour("label");
  for (const [index, text] of labels.entries()) {
    const { x, y } = hilbertCell(4, index);
    context.strokeText(text, x * part + 9, y * part + 8);
    context.fillText(text, x * part + 9, y * part + 8);
  }
}

const CHANGED: readonly Tone[] = ["gained", "lost", "narrowed", "both"];
const MOST_RINGS = 64;
/** Pixels of canvas up to which a changed run needs a ring. */
const SMALL = 600;

/** A changed run of the curve may be three pixels wide; a ring leads the eye to it. What is large shows by itself. */
function paintRings(context: CanvasRenderingContext2D, width: number, { side, bits }: Picture): void {
  const size = width / side;
  const rings: { readonly index: number; readonly tone: Tone }[] = [];
  for (let first = 0; first < bits.length && rings.length <= MOST_RINGS; ) {
    const [tone = "closed"] = tonesIn(bits[first] ?? 0);
    let end = first + 1;
    while (end < bits.length && tonesIn(bits[end] ?? 0)[0] === tone) {
      end += 1;
    }
    if (CHANGED.includes(tone) && (end - first) * size * size < SMALL) {
      rings.push({ index: first + Math.floor((end - first) / 2), tone });
    }
    first = end;
  }
  if (rings.length > MOST_RINGS) {
    return;
  }
  for (const { index, tone } of rings) {
    const { x, y } = hilbertCell(side, index);
    for (const [line, stroke] of [
      [7, colour("halo")],
      [3.5, colour(tone)],
    ] as const) {
      context.beginPath();
      context.arc((x + 0.5) * size, (y + 0.5) * size, 17, 0, 2 * Math.PI);
      context.lineWidth = line;
      context.strokeStyle = stroke;
      context.stroke();
    }
  }
}
