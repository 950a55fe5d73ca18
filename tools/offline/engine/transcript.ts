import type { PropertyMap } from "./values.ts";

/** One resource as the program registered it, with the options that mocks don't show. */
export interface Registration {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** True for a resource that a provider manages, false for a component or the stack. */
  readonly custom: boolean;
  /** URN of the parent; absent for the stack alone. */
  readonly parent?: string;
  /** URN of the resource's own provider; absent when it would get the default one. */
  readonly provider?: string;
  /** The providers that a component hands down: package name to URN. */
  readonly providers: Readonly<Record<string, string>>;
  /** Absent when the program says nothing, so that the parent's value holds. */
  readonly protect?: boolean;
  /** Id of the live object that is taken over. */
  readonly importId?: string;
  /** Earlier identities: URNs, or what of the URN was different. */
  readonly aliases: readonly (string | Readonly<Record<string, string | boolean>>)[];
  /** URNs of the resources that this one waits for, sorted. */
  readonly dependencies: readonly string[];
  readonly retainOnDelete?: boolean;
  readonly deleteBeforeReplace?: boolean;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  /** Version of the provider's SDK. */
  readonly version?: string;
  readonly inputs: PropertyMap;
}

/** One function that the program called on a provider. */
export interface Invocation {
  readonly token: string;
  readonly args: PropertyMap;
  /** URN of the provider; absent when the call would go to the default one. */
  readonly provider?: string;
}

/** One line that the engine shows to the user. */
export interface Diagnostic {
  readonly severity: "debug" | "info" | "warning" | "error";
  readonly message: string;
  /** The resource that the line is about; absent for the stack. */
  readonly urn?: string;
}

/** All that a program told the engine in one run, in the order in which the engine heard it. */
export interface Transcript {
  readonly registrations: readonly Registration[];
  readonly invocations: readonly Invocation[];
  /** Outputs by URN, as components and the stack registered them. */
  readonly outputs: ReadonlyMap<string, PropertyMap>;
  readonly diagnostics: readonly Diagnostic[];
}
