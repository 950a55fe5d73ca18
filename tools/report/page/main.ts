import { formatPorts } from "../../../analysis/index.ts";
import { READING_WORDS, subjectName } from "../../review/wording.ts";
import { capital } from "../../words.ts";
import { type ReportData, reportModel } from "../reportData.ts";
import { startBlocks } from "./blocks.ts";
import { startChanges } from "./changes.ts";
import { byId, element } from "./dom.ts";
import { startGraph } from "./graph.ts";
import { AddressMap, showLegend } from "./map.ts";
import { startSearch } from "./search.ts";
import { type Side, type State, Store } from "./state.ts";
import { startTheme } from "./theme.ts";
import { startTree } from "./tree.ts";

const SIDES: readonly (readonly [Side, string])[] = [
  ["before", "Before"],
  ["change", "Change"],
  ["after", "After"],
];

const data = JSON.parse(byId("data").textContent ?? "") as ReportData;
const model = reportModel(data);
const [reading] = model.readings;
if (reading === undefined) {
  throw new Error("the report has no reading");
}
const store = new Store({ model, reading, side: data.before === null ? "after" : "change", filter: undefined });

let map: AddressMap | undefined;
startTheme(() => map?.redraw());
startControls(store);
map = new AddressMap(store);
store.follow(showLegend);
startBlocks(store, map);
startTree(store);
startGraph(store, capital(subjectName({ source: data.source ?? undefined })));
startChanges(store);
startSearch(store);
document.documentElement.dataset.ready = "true";

/** The choices at the top: side, reading, port. */
function startControls(store: Store): void {
  choices("sides", data.before === null ? [] : SIDES, store.state.side, (side) => store.set({ side }));
  choices(
    "readings",
    model.readings.length < 2 ? [] : model.readings.map((one) => [one.name, READING_WORDS[one.name]]),
    store.state.reading.name,
    (name) => {
      const chosen = model.readings.find((one) => one.name === name);
      store.set(chosen === undefined ? {} : { reading: chosen });
    },
  );
  const select = byId("ports") as HTMLSelectElement;
  const filters = portsOfPolicies();
  select.append(
    ...filters.map(({ protocol, port }, index) =>
      element("option", { value: index }, `${protocol} ${formatPorts({ from: port, to: port })}`),
    ),
  );
  select.addEventListener("change", () => store.set({ filter: filters[Number(select.value)] }));
}

function choices<Value extends string>(
  id: string,
  options: readonly (readonly [Value, string])[],
  chosen: Value,
  choose: (value: Value) => void,
): void {
  const place = byId(id);
  place.hidden = options.length === 0;
  for (const [value, label] of options) {
    const input = element("input", {
      type: "radio",
      name: id,
      value,
      checked: value === chosen,
      onchange: () => choose(value),
    });
    place.append(element("label", {}, input, element("span", {}, label)));
  }
}

/** The ports that the policies name, and the two of the web. */
function portsOfPolicies(): NonNullable<State["filter"]>[] {
  const named = model.readings
    .flatMap(({ before, after }) => [after, ...(before === undefined ? [] : [before])])
    .flatMap(({ policies }) => policies)
    .flatMap(({ egress }) => egress)
    .flatMap(({ ports }) => ports ?? [])
    .flatMap(({ protocol, range }) => (range === undefined ? [] : [{ protocol, port: range.from }]));
  const all = [{ protocol: "TCP", port: 443 } as const, { protocol: "TCP", port: 80 } as const, ...named];
  const distinct = new Map(all.map((each) => [`${each.protocol} ${each.port}`, each]));
  return [...distinct.values()].filter(({ port }) => port > 0).slice(0, 40);
}
