// The shop's pages. Each function returns what goes into <main>.
import { getProduct, getProducts, getServerCart, postOrder } from "./api.js";
import { addToCart, clearCart, readCart, setQuantity } from "./cart.js";
import { element, link, money } from "./dom.js";
import { field } from "./fields.js";

const SHIPPING_CENTS = 490;

export async function listView() {
  const products = await getProducts();
  const cards = products.map((product) =>
    element(
      "li",
      { class: "card" },
      link(
        `/demo/products/${product.id}`,
        {},
        element("img", { src: product.image, alt: "", width: 400, height: 320, loading: "lazy" }),
        element("h2", {}, product.name),
        element("p", {}, product.tagline),
      ),
      element(
        "div",
        { class: "buy" },
        element("strong", {}, money(product.price_cents, product.currency)),
        element("button", { type: "button", class: "quiet", onclick: () => addToCart(product.id) }, "Add to cart"),
      ),
    ),
  );
  return element(
    "section",
    {},
    element("h1", {}, "Good things for slow mornings"),
    element("p", { class: "lead" }, "Eight objects that we use ourselves. Free returns, plain packaging."),
    element("ul", { class: "grid" }, ...cards),
  );
}

export async function productView(id, go) {
  const product = await getProduct(id);
  const buy = () => {
    addToCart(product.id);
    void go("/demo/cart");
  };
  return element(
    "article",
    { class: "product" },
    element("img", { src: product.image, alt: product.name, width: 400, height: 320 }),
    element(
      "div",
      {},
      link("/demo", { class: "back" }, "← Everything"),
      element("h1", {}, product.name),
      element("p", { class: "lead" }, product.tagline),
      element("p", {}, product.description),
      element("p", { class: "price" }, money(product.price_cents, product.currency)),
      element("button", { type: "button", class: "primary", onclick: buy }, "Add to cart"),
    ),
  );
}

async function cartLines() {
  const [products] = await Promise.all([getProducts(), getServerCart()]);
  return Object.entries(readCart()).flatMap(([id, quantity]) => {
    const product = products.find((candidate) => candidate.id === id);
    return product ? [{ product, quantity }] : [];
  });
}

function subtotalOf(lines) {
  return lines.reduce((sum, { product, quantity }) => sum + product.price_cents * quantity, 0);
}

function sums(lines) {
  const subtotal = subtotalOf(lines);
  const row = (name, cents, tag = "span") => element("div", {}, element(tag, {}, name), element(tag, {}, money(cents)));
  return element(
    "div",
    { class: "sums" },
    row("Subtotal", subtotal),
    row("Shipping", SHIPPING_CENTS),
    row("Total", subtotal + SHIPPING_CENTS, "strong"),
  );
}

function emptyCart() {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, "Your cart is empty"),
    element("p", {}, "Nothing in it yet. The mug is a safe start."),
    link("/demo", { class: "button primary" }, "See everything"),
  );
}

export async function cartView(_match, go) {
  const lines = await cartLines();
  if (!lines.length) return emptyCart();
  const rows = lines.map(({ product, quantity }) => {
    const change = (by) => () => {
      setQuantity(product.id, quantity + by);
      void go("/demo/cart");
    };
    return element(
      "li",
      {},
      element("img", { src: product.image, alt: "", width: 80, height: 64 }),
      element("div", {}, element("strong", {}, product.name), element("small", {}, money(product.price_cents))),
      element(
        "div",
        { class: "stepper" },
        element("button", { type: "button", "aria-label": `One ${product.name} less`, onclick: change(-1) }, "−"),
        element("output", {}, String(quantity)),
        element("button", { type: "button", "aria-label": `One ${product.name} more`, onclick: change(1) }, "+"),
      ),
      element("strong", {}, money(product.price_cents * quantity)),
    );
  });
  return element(
    "section",
    {},
    element("h1", {}, "Your cart"),
    element("ul", { class: "lines" }, ...rows),
    sums(lines),
    link("/demo/checkout", { class: "button primary" }, "Check out"),
  );
}

export async function checkoutView(_match, go) {
  const lines = await cartLines();
  if (!lines.length) return emptyCart();
  const problem = element("p", { class: "problem", role: "alert", hidden: true });
  const submit = element("button", { type: "submit", class: "primary" }, "Place the order");
  const place = async (event) => {
    event.preventDefault();
    submit.disabled = true;
    problem.hidden = true;
    try {
      const form = new FormData(event.target);
      const items = lines.map(({ product, quantity }) => ({ product: product.id, quantity }));
      await postOrder({ name: form.get("name"), email: form.get("email"), items });
      clearCart();
      await go("/demo/thanks");
    } catch (error) {
      problem.textContent = `The order did not go through: ${error.message}. Nothing was charged; please try again.`;
      problem.hidden = false;
      submit.disabled = false;
    }
  };
  return element(
    "form",
    { class: "checkout", id: "checkout", onsubmit: place },
    element("h1", {}, "Check out"),
    field("name", "Full name", { autocomplete: "name", required: true }),
    field("email", "E-mail", { type: "email", autocomplete: "email", required: true }),
    field("card", "Card number", {
      inputmode: "numeric",
      autocomplete: "cc-number",
      placeholder: "4242 4242 4242 4242",
    }),
    field("password", "Choose a password", { type: "password", autocomplete: "new-password" }),
    field("note", "A note for us", { tag: "textarea", rows: 3 }),
    sums(lines),
    problem,
    submit,
  );
}

export function thanksView() {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, "Thank you"),
    element("p", {}, "Your order is on its way, in the sense that a demo can send anything."),
    link("/demo", { class: "button primary" }, "Back to the shop"),
  );
}

export function failureView(error, retry) {
  return element(
    "section",
    { class: "empty" },
    element("h1", {}, "That did not work"),
    element("p", {}, `${error.message}.`),
    retry
      ? element("button", { type: "button", class: "primary", onclick: () => void retry() }, "Try again")
      : link("/demo", { class: "button primary" }, "Back to the shop"),
  );
}
