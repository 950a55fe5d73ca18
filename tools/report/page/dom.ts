type Child = Node | string | undefined | false;

/**
 * Makes an element. `on…` attributes are listeners, `tone` is a colour of the style sheet; `class` and the rest are attributes,
 * which `false` leaves out.
 */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | number | boolean | undefined | ((event: Event) => void)>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") {
      made.addEventListener(key.replace(/^on/, ""), value);
    } else if (value !== undefined && value !== false) {
      if (key === "tone") {
        made.style.setProperty("--tone", `var(--${value})`);
      } else {
        made.setAttribute(key, value === true ? "" : String(value));
      }
    }
  }
  made.append(...children.filter((child) => child !== undefined && child !== false));
  return made;
}

/** The element with an id, which the page always has. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) {
    throw new Error(`the page has no #${id}`);
  }
  return found;
}

/** The first items as elements, and in an element of its own a button that shows the rest in its place. */
export function limited<Item>(
  items: readonly Item[],
  most: number,
  wrapper: "li" | "div",
  make: (item: Item) => HTMLElement,
): HTMLElement[] {
  const rest = items.slice(most);
  const onclick = () => place.replaceWith(...rest.map(make));
  const button = element("button", { type: "button", class: "quiet", onclick }, `${rest.length} more blocks`);
  const place = element(wrapper, {}, button);
  return [...items.slice(0, most).map(make), ...(rest.length > 0 ? [place] : [])];
}
