// Starts the shop: shows the view that the address names, and follows links without loading the page anew.
import { countInCart, onCartChange } from "./cart.js";
import { wirePanel } from "./panel.js";
import { cartView, checkoutView, failureView, listView, productView, thanksView } from "./views.js";

const ROUTES = [
  [/^\/demo\/?$/, listView],
  [/^\/demo\/products\/([\w-]+)$/, productView],
  [/^\/demo\/cart$/, cartView],
  [/^\/demo\/checkout$/, checkoutView],
  [/^\/demo\/thanks$/, thanksView],
];

const view = document.querySelector("#view");
let shown = 0;
let shownPath;

async function show() {
  const turn = ++shown;
  shownPath = location.pathname;
  const [, name] = document.title.split(" · ");
  let content;
  try {
    content = await viewOf(location.pathname);
  } catch (error) {
    content = failureView(error, show);
  }
  // Somebody who clicks on has moved on before a slow answer came.
  if (turn !== shown) return;
  view.replaceChildren(content);
  const title = view.querySelector("h1")?.textContent;
  document.title = title ? `${title} · Fern & Kettle` : (name ?? "Fern & Kettle");
  for (const link of document.querySelectorAll(".top nav a[data-route]")) {
    const current = link.pathname === location.pathname;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function viewOf(path) {
  for (const [pattern, make] of ROUTES) {
    const match = pattern.exec(path);
    if (match) return make(match[1], go);
  }
  return failureView(new Error(`there is no page at ${path}`));
}

function go(path) {
  if (path !== location.pathname) history.pushState(null, "", path);
  scrollTo(0, 0);
  return show();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-route]");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  void go(link.pathname);
});
// A fragment of the same page is the browser's business.
addEventListener("popstate", () => {
  if (location.pathname !== shownPath) void show();
});

function showCount() {
  const badge = document.querySelector("#cart-count");
  const count = countInCart();
  badge.textContent = String(count);
  badge.hidden = count === 0;
}

onCartChange(showCount);
showCount();
wirePanel();
void show();
