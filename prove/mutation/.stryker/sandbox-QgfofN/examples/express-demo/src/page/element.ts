type Child = Node | string;

/** The element of the page with this id. @throws Error when the page has none */
export const byId = (id: string): HTMLElement => {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element #${id}`);
  return element;
};

/** As `byId`, for a button. */
export const buttonById = (id: string): HTMLButtonElement => byId(id) as HTMLButtonElement;

/** As `byId`, for an input field. */
export const inputById = (id: string): HTMLInputElement => byId(id) as HTMLInputElement;

/** Makes an HTML element. Text is always text, never markup. */
export const html = (name: string, className: string, ...children: readonly Child[]): HTMLElement => {
  const element = document.createElement(name);
  if (className !== "") element.className = className;
  element.append(...children);
  return element;
};

/** Makes an SVG element. */
export const svg = (
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  ...children: readonly Child[]
): SVGElement => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  element.append(...children);
  return element;
};
