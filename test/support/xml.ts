import { expect } from "vitest";

/** A reader of the XML that is written here, strict in what matters: nesting, entities, attributes. */
export function readXml(xml: string) {
  const open: string[] = [];
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const body = xml.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  const rest = body.replace(
    /<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g,
    (_, closing: string, name: string, attributes: string, empty: string) => {
      if (closing !== "") {
        expect(open.pop()).toBe(name);
        return "";
      }
      const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)];
      for (const [, , value] of pairs) {
        expect(value?.replace(/&(amp|lt|gt|quot|apos|#10);/g, "")).not.toMatch(/[&<>\p{Cc}]/u);
      }
      elements.push({ name, attributes: Object.fromEntries(pairs.map(([, key, value]) => [key, value])) });
      if (empty === "") {
        open.push(name);
      }
      return "";
    },
  );
  expect(rest.trim()).toBe("");
  expect(open).toEqual([]);
  return elements;
}
