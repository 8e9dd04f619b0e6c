// What the shop asks of its server.

async function ask(path, options) {
  const response = await fetch(`/demo/api/${path}`, { headers: { accept: "application/json" }, ...options });
  // Read in any case: a browser accounts for a request once its answer is read.
  const text = await response.text();
  if (!response.ok) throw new Error(`the shop's server answered ${response.status}`);
  return text ? JSON.parse(text) : undefined;
}

let products;

/** All products, asked for once. */
export async function getProducts() {
  products ??= ask("products").then((answer) => answer.items);
  try {
    return await products;
  } catch (error) {
    products = undefined;
    throw error;
  }
}

export async function getProduct(id) {
  const product = (await getProducts()).find((candidate) => candidate.id === id);
  if (!product) throw new Error("there is no such product");
  return product;
}

/** The cart as the server remembers it. */
export function getServerCart() {
  return ask("cart");
}

export function postOrder(order) {
  return ask("orders", postOf(order));
}

/** The payment provider behind this one is always down. */
export function postFailingOrder(order) {
  return ask("orders/fail", postOf(order));
}

export function getSlowReport() {
  return ask("slow");
}

function postOf(body) {
  return {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify(body),
  };
}
