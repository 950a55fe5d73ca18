import struct from "google-protobuf/google/protobuf/struct_pb.js";

/** A property value as a program registers it, after the wire's wrappings are taken off. */
export type PropertyValue = null | boolean | number | string | PropertyValue[] | { [key: string]: PropertyValue };

/** The properties of a resource or a function call, by name. */
export type PropertyMap = Record<string, PropertyValue>;

/** Stands for a value that the program did not know yet, as in a preview. */
const UNKNOWN = "[unknown]";

/** Stands for a value that the program marked as secret: the engine keeps none of them. */
const SECRET = "[secret]";

// What the SDK writes in the place of values that JSON cannot hold (@pulumi/pulumi runtime/rpc.js, 3.270).
const UNKNOWN_ON_THE_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";

/** The properties in a message, with secrets and unknowns replaced and outputs and resource references resolved. */
export function decodeProperties(message: struct.Struct | undefined): PropertyMap {
  return decodeMap((message?.toJavaScript() ?? {}) as PropertyMap);
}

/** A message of these properties. */
export function encodeProperties(properties: PropertyMap): struct.Struct {
  return struct.Struct.fromJavaScript(properties);
}

function decodeMap(map: PropertyMap): PropertyMap {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, decode(value)]));
}

function decode(value: PropertyValue): PropertyValue {
  if (value === UNKNOWN_ON_THE_WIRE) {
    return UNKNOWN;
  }
  if (Array.isArray(value)) {
    return value.map(decode);
  }
  if (value === null || typeof value !== "object") {
    return value;
  }
  switch (value[SIGNATURE]) {
    case undefined:
      return decodeMap(value);
    case SECRET_SIGNATURE:
      return SECRET;
    case OUTPUT_SIGNATURE:
      if (value.secret === true) {
        return SECRET;
      }
      return value.value === undefined ? UNKNOWN : decode(value.value);
    case RESOURCE_SIGNATURE:
      return decode(value.urn ?? null);
    default:
      throw new Error(`the offline engine cannot read a value with the signature ${String(value[SIGNATURE])}`);
  }
}
