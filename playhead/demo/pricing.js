// Prices, vouchers and stock: with the mistakes that the panel shows off.

const VOUCHERS = { WELCOME: { rate: 0.1 } };

function findVoucher(code) {
  return VOUCHERS[code];
}

function discountFor(item, code) {
  const voucher = findVoucher(code);
  // A code that has run out is not in the list any more, and nobody thought of that.
  return Math.round(item.price_cents * voucher.rate);
}

export function priceWithDiscount(cart, code) {
  return cart.items.reduce((sum, item) => sum + item.price_cents - discountFor(item, code), 0);
}

class StockError extends Error {
  name = "StockError";
}

function compare(shelf, books) {
  if (shelf !== books) throw new StockError(`${shelf} on the shelf, ${books} in the books`);
}

export function checkStock({ sku, shelf, books }) {
  try {
    compare(shelf, books);
  } catch (error) {
    console.error("stock of %s does not add up", sku, error);
  }
}
