// One labelled field of a form.
import { element } from "./dom.js";

export function field(name, label, { tag = "input", ...attributes } = {}) {
  return element(
    "label",
    { class: "field" },
    element("span", {}, label),
    element(tag, { name, id: `checkout-${name}`, ...(tag === "input" ? { type: "text" } : {}), ...attributes }),
  );
}
