import type { PackPolicy } from "../guardrailPolicy.ts";
import { declaration } from "./declaration.ts";
import { eksHazards } from "./eksHazards.ts";
import { isolation } from "./isolation.ts";
import { metadataEndpoints } from "./metadataEndpoints.ts";
import { privateReach } from "./privateReach.ts";
import { protection } from "./protection.ts";
import { requiredDestinations } from "./requiredDestinations.ts";
import { union } from "./union.ts";
import { widening } from "./widening.ts";

/** The policies of the pack. The declaration is first: the others rest on it. */
export const policies: PackPolicy[] = [
  declaration,
  metadataEndpoints,
  privateReach,
  isolation,
  requiredDestinations,
  eksHazards,
  union,
  protection,
  widening,
];
