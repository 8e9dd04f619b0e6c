export interface Order {
  receipt?: { number: string };
}

/** What somebody is about to buy. */
export class ShoppingCart {
  constructor(private readonly orders: readonly Order[]) {}

  checkOut(): string[] {
    return this.orders.map((order) => receiptOf(order));
  }
}

function receiptOf(order: Order): string {
  const label = 'receipt';
  return `${label} ${order.receipt!.number}`;
}
