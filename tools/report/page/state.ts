import type { ReportModel, ReportReading } from "../reportData.ts";
import type { PortFilter } from "../tones.ts";

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

/** The analysis that is looked at, and the one that it is compared with where the change is looked at. */
export function shown({ reading, side }: State) {
  const { before, after } = reading;
  return side === "before" && before !== undefined
    ? { main: before, compared: undefined }
    : { main: after, compared: side === "change" ? before : undefined };
}
