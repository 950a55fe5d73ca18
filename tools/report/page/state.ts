import { type AddressMap, byFamily } from "../../../analysis/addressMap.ts";
import { type AddressFamily, type AddressRange, diff, type EgressAnalysis } from "../../../analysis/index.ts";
import { type ReviewRow, reviewRows } from "../../review/rows.ts";
import type { ReportModel, ReportReading } from "../reportData.ts";
import { type PortFilter, type Stretch, stretchesIn, TONES, type Tone, toneMap } from "../tones.ts";

/** Which side of the change is looked at. */
export type Side = "before" | "change" | "after";

/** What the reader has chosen; every view follows it. */
export interface State {
  readonly model: ReportModel;
  readonly reading: ReportReading;
  readonly side: Side;
  readonly filter: PortFilter;
}

/** Holds the state and tells the views when it changes. */
export class Store {
  private current: State;
  private readonly listeners: ((state: State) => void)[] = [];

  constructor(initial: State) {
    this.current = initial;
  }

  get state(): State {
    return this.current;
  }

  /** Calls a view now and after every change. */
  follow(listener: (state: State) => void): void {
    this.listeners.push(listener);
    listener(this.current);
  }

  set(change: Partial<State>): void {
    this.current = { ...this.current, ...change };
    for (const listener of this.listeners) {
      listener(this.current);
    }
  }
}

/** What the change opens and closes under the chosen reading; nothing where there is nothing to compare with. */
export function changesOf({ model, reading: { name, before, after } }: State): ReviewRow[] {
  return before === undefined
    ? []
    : reviewRows([{ semantics: name, before, after, diff: diff(before, after, model.names.blocks) }], model.names);
}

/** The analysis that is looked at, and the one that it is compared with where the change is looked at. */
export function shown({ reading, side }: State) {
  const { before, after } = reading;
  return side === "before" && before !== undefined
    ? { main: before, compared: undefined }
    : { main: after, compared: side === "change" ? before : undefined };
}

/** What {@link shown} tells, as a list. */
export function analysesOf(state: State): EgressAnalysis[] {
  const { main, compared } = shown(state);
  return compared === undefined ? [main] : [main, compared];
}

const maps = new WeakMap<State, Readonly<Record<AddressFamily, AddressMap<Tone>>>>();

/** The tones of a range of addresses on the side that is looked at, in order. */
export function runsOf(range: AddressRange, state: State): Stretch<Tone>[] {
  const { main, compared } = shown(state);
  const tones =
    maps.get(state) ??
    byFamily((family) => toneMap(main.partitions[family], compared?.partitions[family], state.filter));
  maps.set(state, tones);
  return stretchesIn(tones[range.family], range);
}

/** Each tone that a range has, what matters most first. */
export function tonesOf(range: AddressRange, state: State): Tone[] {
  const runs = runsOf(range, state);
  return TONES.filter((tone) => runs.some(({ value }) => value === tone));
}
