import {
  type EgressAnalysis,
  explain,
  type NamedAddresses,
  namesIn,
  type Point,
  type Protocol,
  parseAddress,
  parsePoint,
  regions,
} from "../../../analysis/index.ts";
import { spanAt } from "../../../analysis/ports.ts";
import { formatRanges } from "../../../analysis/reach/words.ts";
import { BOTH_READINGS, READING_WORDS } from "../../review/wording.ts";
import { capital } from "../../words.ts";
import { byId, element } from "./dom.ts";
import type { State, Store } from "./state.ts";
import { TONE_WORDS, VERDICT_TONES } from "./words.ts";

/** A port of a protocol. */
type AskedPort = NonNullable<State["filter"]>;

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

function answerTo(
  query: string,
  {
    model: {
      readings,
      names: { blocks },
    },
  }: State,
): HTMLElement[] {
  const port = parsePort(query);
  const point = port === undefined ? parseQuery(query) : undefined;
  if (point instanceof Error) {
    return [element("p", { class: "problem" }, point.message)];
  }
  const isChange = readings.some(({ before }) => before !== undefined);
  return (isChange ? (["before", "after"] as const) : (["after"] as const)).flatMap((side) => {
    const answers = readings.flatMap(({ name, [side]: analysis }) => {
      const answer =
        analysis &&
        (point === undefined ? portAnswer(port as AskedPort, analysis, blocks) : pointAnswer(point, analysis));
      return answer === undefined ? [] : [{ reading: READING_WORDS[name], answer }];
    });
    const [first] = answers;
    // Where both readings agree, one answer says so.
    const isSame = answers.length > 1 && answers.every(({ answer }) => answer.isEqualNode(first?.answer ?? null));
    const told = isSame && first !== undefined ? [{ ...first, reading: BOTH_READINGS }] : answers;
    return told.map(({ reading, answer }) => {
      answer.prepend(element("h3", {}, capital(isChange ? `${side}, ${reading}` : reading)));
      return answer;
    });
  });
}

/** `443`, `:443`, `53/udp`. */
function parsePort(query: string): AskedPort | undefined {
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
    const tone = VERDICT_TONES[verdict];
    return element(
      "div",
      { class: "result", tone },
      element("p", {}, element("span", { class: "chip", tone }, TONE_WORDS[tone])),
      element("p", { class: "why" }, text),
    );
  } catch (error) {
    // A protocol that has no verdict under this reading.
    return element("div", { class: "result" }, element("p", {}, (error as RangeError).message));
  }
}

/** Where a port is open: pods first, then addresses by name. */
function portAnswer(
  { protocol, port }: AskedPort,
  analysis: EgressAnalysis,
  names: readonly NamedAddresses[],
): HTMLElement {
  const open = regions(analysis).filter(
    ({ verdict, protocol: its, ports: { from, to } }) =>
      verdict !== "deny" && its === protocol && from <= port && port <= to,
  );
  const byName = Map.groupBy(
    open,
    ({ range, verdict }) => `${namesIn(range, names)[0] ?? ""}${verdict === "allow" ? "" : " (at random)"}`,
  );
  const addresses = [...byName].flatMap(([name, found]) =>
    [...Map.groupBy(found, ({ range }) => range.family).values()].map(
      (ofFamily) => `${name}: ${formatRanges(ofFamily.map(({ range }) => range))}`,
    ),
  );
  const pods = analysis.selectors
    .filter(({ table }) => spanAt(table.spans[protocol] ?? [], port)?.verdict === "allow")
    .map(({ text }) => text);
  const lines = [...pods, ...addresses];
  return element(
    "div",
    { class: "result" },
    element("p", {}, `${protocol} ${port} is open to:`),
    lines.length === 0
      ? element("p", {}, "nothing")
      : element("ul", {}, ...lines.map((line) => element("li", {}, line))),
  );
}
