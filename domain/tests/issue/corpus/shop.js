class PaymentError extends Error {
  constructor(message) {
    super(message);
    this.name = 'PaymentError';
  }
}

function invariant(condition, message) {
  if (!condition) throw new Error(message);
}

class Cart {
  #items;
  constructor(items) {
    if (items === 'broken') throw new PaymentError('cart 4711 of Ana has expired');
    this.#items = items;
  }
  total() {
    return this.#items.reduce((sum, item) => sum + item.price.amount, 0);
  }
  currency() {
    return this.settings.currency;
  }
  get size() {
    return this.missing.length;
  }
  static parse(text) {
    return JSON.parse(text);
  }
}

const checkout = {
  open(cart) {
    return cart.currency();
  },
  pay: function (cart) {
    return cart.submit();
  },
  apply(code) {
    invariant(code.length > 3, `coupon "${code}" is too short`);
  },
  ship(address) {
    invariant(address.zip, 'address has no zip code');
  },
};

function countDown(n) {
  return countDown(n + 1) + 1;
}

function isOdd(n) {
  return isEven(n + 1);
}

function isEven(n) {
  return isOdd(n + 1) || false;
}

async function loadCart(id) {
  await undefined;
  return readCart(id);
}

function readCart(id) {
  return id.owner.name;
}

const submit = (form) => form.fields.map((field) => validate(field));

function validate(field) {
  return field.rule.test(field.value);
}

const cases = {
  property_of_undefined: () => checkout.open(new Cart([])),
  property_in_callback: () => new Cart([{}]).total(),
  property_of_null: () => submit({ fields: [{ rule: null }] }),
  getter: () => new Cart([]).size,
  not_a_function: () => checkout.pay(new Cart([])),
  not_defined: function openBasket() { return basket.open(); },
  constructor_throws: function createCart() { return new Cart('broken'); },
  helper_coupon: () => checkout.apply('ab'),
  helper_address: () => checkout.ship({}),
  invalid_json: () => Cart.parse('<!DOCTYPE html>'),
  ended_json: () => Cart.parse('{"a":'),
  overflow: () => countDown(0),
  overflow_of_two: () => isOdd(0),
  evaluated: function runRule() { return eval('checkout.open(new Cart([]))'); },
  asynchronous: () => loadCart({}),
  destructured: function readOptions() { const { theme } = undefined; return theme; },
  not_iterable: function spread() { const [first] = {}; return first; },
  constant: function reassign() { const a = 1; a = 2; },
  cyclic: function serialize() { const a = {}; a.a = a; return JSON.stringify(a); },
  array_length: function allocate() { return new Array(-1); },
  uri: function decode() { return decodeURIComponent('%'); },
  not_a_constructor: function build() { const a = {}; return new a.Widget(); },
  before_initialization: function early() { const a = b; const b = 1; return a; },
};

function runCase(name) {
  return cases[name]();
}

async function runAll() {
  const told = {};
  for (const name of Object.keys(cases)) {
    try {
      await runCase(name);
    } catch (error) {
      told[name] = { type: error.name, message: error.message, stack: error.stack };
    }
  }
  if (typeof fetch === 'function') {
    try {
      await (async function loadPrices() { return await fetch('http://127.0.0.1:1/prices'); })();
    } catch (error) {
      told.fetch = { type: error.name, message: error.message, stack: error.stack };
    }
  }
  return told;
}

runAll().then((told) => {
  const text = JSON.stringify(told, null, 1);
  if (typeof document === 'undefined') print(text);
  else fetch('/told' + location.search, { method: 'POST', body: text });
});
