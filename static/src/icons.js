// Icons for what scripts draw, from the sprite that the page already uses.

// sprite is the address of an icon.
export function sprite(name) {
  const used = document.querySelector("svg.i > use")?.getAttribute("href") ?? "";
  return `${used.split("#")[0]}#${name}`;
}

// icon makes a decorative icon.
export function icon(name, classes = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `i ${classes}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", sprite(name));
  svg.append(use);
  return svg;
}
