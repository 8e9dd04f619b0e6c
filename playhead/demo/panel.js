// The buttons that make something happen. Each failure comes out of a few honest calls, so that its stack is worth reading.
import { getSlowReport, postFailingOrder } from "./api.js";
import { element } from "./dom.js";
import { checkStock, priceWithDiscount } from "./pricing.js";
import { loadWishList } from "./wish-list.js";

const MAX_HAPPENINGS = 8;

function tell(text) {
  const list = document.querySelector("#happenings");
  const time = new Date().toLocaleTimeString("en-GB");
  list.prepend(element("li", {}, element("time", {}, time), ` ${text}`));
  while (list.children.length > MAX_HAPPENINGS) list.lastElementChild.remove();
}

function applyVoucher() {
  tell("A voucher was applied, and the script broke.");
  return priceWithDiscount({ items: [{ id: "mug", price_cents: 1900 }] }, "SPRING");
}

function openWishList() {
  tell("The wish list was opened, and a promise was rejected.");
  void loadWishList("wish-list-7");
}

function compareStock() {
  checkStock({ sku: "mug", shelf: 12, books: 9 });
  tell("Stock was compared, and the console got an error.");
}

async function placeFailingOrder() {
  try {
    await postFailingOrder({ items: [{ product: "lamp", quantity: 1 }] });
  } catch (error) {
    tell(`An order failed: ${error.message}.`);
  }
}

async function waitForReport() {
  const started = performance.now();
  tell("A report was asked for; it takes a while.");
  try {
    await getSlowReport();
    tell(`The report came after ${((performance.now() - started) / 1000).toFixed(1)} s.`);
  } catch (error) {
    tell(`The report did not come: ${error.message}.`);
  }
}

function sayHello() {
  const address = new URL("/demo/ws", location.href);
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  socket.addEventListener("open", () => socket.send(JSON.stringify({ say: "hello", from: "the shop" })));
  socket.addEventListener("message", ({ data }) => {
    tell(`The socket answered with ${data.length} characters.`);
    socket.close(1000, "done");
  });
  socket.addEventListener("error", () => tell("The socket could not be opened."));
}

/** `#rage-target` and `#dead-click` are left out on purpose: they do nothing. */
export function wirePanel() {
  const actions = {
    "uncaught-error": applyVoucher,
    "rejected-promise": openWishList,
    "console-error": compareStock,
    "failing-request": placeFailingOrder,
    "slow-request": waitForReport,
    websocket: sayHello,
  };
  for (const [id, act] of Object.entries(actions)) document.getElementById(id).addEventListener("click", () => act());
}
