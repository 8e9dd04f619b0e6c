// The cart: product ids and quantities, kept for the tab.

const KEY = "fern-and-kettle.cart";
const MAX_QUANTITY = 20;
const listeners = new Set();
let memory = {};

/** Product id → quantity. Kept in memory alone where the browser stores nothing. */
export function readCart() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
  } catch {
    return memory;
  }
}

function writeCart(cart) {
  memory = cart;
  try {
    sessionStorage.setItem(KEY, JSON.stringify(cart));
  } catch {
    // Memory serves until the page is left.
  }
  for (const listener of listeners) listener();
}

export function setQuantity(id, quantity) {
  const { [id]: _before, ...others } = readCart();
  const kept = Math.min(Math.max(0, Math.trunc(quantity) || 0), MAX_QUANTITY);
  writeCart(kept > 0 ? { ...others, [id]: kept } : others);
}

export function addToCart(id) {
  setQuantity(id, (readCart()[id] ?? 0) + 1);
}

export function clearCart() {
  writeCart({});
}

export function countInCart() {
  return Object.values(readCart()).reduce((sum, quantity) => sum + quantity, 0);
}

export function onCartChange(listener) {
  listeners.add(listener);
}
