import { cellRange } from "../../../analysis/addressMap.ts";
import {
  type AddressRange,
  type EgressAnalysis,
  explain,
  formatRange,
  type NamedAddresses,
  namesIn,
  type Point,
  type Protocol,
  parseAddress,
  parsePoint,
} from "../../../analysis/index.ts";
import { spanAt } from "../../../analysis/ports.ts";
import { formatCount } from "../../words.ts";
import { byId, element } from "./dom.ts";
import type { State, Store } from "./state.ts";
import { READING_WORDS, VERDICT_WORDS } from "./words.ts";

/** Answers for typed destinations and ports, in both readings and on both sides. */
export function startSearch(store: Store): void {
  const form = byId("search") as HTMLFormElement;
  const input = byId("query") as HTMLInputElement;
  const answer = byId("answer");
  const show = (state: State) => {
    const query = input.value.trim();
    answer.replaceChildren(...(query === "" ? [] : answerTo(query, state)));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    show(store.state);
  });
  input.addEventListener("input", () => show(store.state));
  store.follow(show);
}

/** A side of the change and its analysis under each reading. */
interface SideAnalyses {
  readonly title: string;
  readonly readings: readonly { readonly name: ReadingName; readonly analysis: EgressAnalysis }[];
}

type ReadingName = State["reading"]["name"];

function answerTo(query: string, { model }: State): HTMLElement[] {
  const port = parsePort(query);
  const point = port === undefined ? parseQuery(query) : undefined;
  if (point instanceof Error) {
    return [element("p", { class: "problem" }, point.message)];
  }
  return sidesOf(model.readings).flatMap(({ title, readings }) => {
    const answers = readings.map(({ name, analysis }) => ({
      name,
      answer: point === undefined ? portAnswer(port as AskedPort, analysis, model.names) : pointAnswer(point, analysis),
    }));
    const [first] = answers;
    // Where both readings agree, one answer says so.
    const isSame = answers.every(({ answer }) => answer.textContent === first?.answer.textContent);
    return (isSame ? answers.slice(0, 1) : answers).map(({ name, answer }) => {
      const reading = isSame && answers.length > 1 ? "as specified and as enforced" : READING_WORDS[name];
      answer.prepend(element("h3", {}, title === "" ? capital(reading) : `${title}, ${reading}`));
      return answer;
    });
  });
}

function sidesOf(readings: State["model"]["readings"]): SideAnalyses[] {
  const before = readings.flatMap(({ name, before }) => (before === undefined ? [] : [{ name, analysis: before }]));
  const after = readings.map(({ name, after }) => ({ name, analysis: after }));
  return before.length === 0
    ? [{ title: "", readings: after }]
    : [
        { title: "Before", readings: before },
        { title: "After", readings: after },
      ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** `443`, `:443`, `53/udp`. */
function parsePort(query: string): { protocol: Protocol; port: number } | undefined {
  const match = /^:?(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(query);
  const port = Number(match?.[1]);
  return match === null || port > 65535
    ? undefined
    : { protocol: (match[2]?.toUpperCase() ?? "TCP") as Protocol, port };
}

/** A destination; a bare address is asked about on TCP 443. */
function parseQuery(query: string): Point | Error {
  const address = parseAddress(query.replace(/^\[|\]$/g, ""));
  if (address !== undefined) {
    return { address, protocol: "TCP", port: 443 };
  }
  try {
    return parsePoint(query);
  } catch (error) {
    return error as RangeError;
  }
}

function pointAnswer(point: Point, analysis: EgressAnalysis): HTMLElement {
  try {
    const { verdict, text } = explain(analysis, point);
    return element(
      "div",
      { class: `result ${verdict}` },
      element("p", {}, element("span", { class: `chip ${verdict}` }, VERDICT_WORDS[verdict])),
      element("p", { class: "why" }, text),
    );
  } catch (error) {
    // A protocol that has no verdict under this reading.
    return element("div", { class: "result" }, element("p", {}, (error as RangeError).message));
  }
}

interface AskedPort {
  readonly protocol: Protocol;
  readonly port: number;
}

/** Ranges under one name beyond this are counted. */
const MOST_RANGES = 3;

/** Where a port is open: pods first, then addresses by name. */
function portAnswer(
  { protocol, port }: AskedPort,
  analysis: EgressAnalysis,
  names: readonly NamedAddresses[],
): HTMLElement {
  const byName = new Map<string, AddressRange[]>();
  for (const family of ["ipv4", "ipv6"] as const) {
    const partition = analysis.partitions[family];
    for (const [index, { table }] of partition.cells.entries()) {
      const verdict = spanAt(table.spans[protocol] ?? [], port)?.verdict ?? "deny";
      if (verdict !== "deny") {
        const range = cellRange(partition, index);
        const name = `${namesIn(range, names)[0] ?? ""}${verdict === "allow" ? "" : " (at random)"}`;
        byName.set(name, [...(byName.get(name) ?? []), range]);
      }
    }
  }
  const pods = analysis.selectors
    .filter(({ table }) => spanAt(table.spans[protocol] ?? [], port)?.verdict === "allow")
    .map(({ text }) => text);
  const lines = [...pods, ...[...byName].map(([name, ranges]) => `${name}: ${describeRanges(ranges)}`)];
  return element(
    "div",
    { class: "result" },
    element("p", {}, `${protocol} ${port} is open to:`),
    lines.length === 0
      ? element("p", {}, "nothing")
      : element("ul", {}, ...lines.map((line) => element("li", {}, line))),
  );
}

function describeRanges(ranges: readonly AddressRange[]): string {
  if (ranges.length <= MOST_RANGES) {
    return ranges.map(formatRange).join(", ");
  }
  const size = ranges.reduce((sum, { first, last }) => sum + last - first + 1n, 0n);
  return `${ranges.length} ranges, ${formatCount(size)} addresses`;
}
